impl<T: Item + Sync> Stack<T>
where
    T: Clone,
{
    pub fn new() -> Self {
        Stack(Vec::new())
    }
    pub fn push(&mut self, _: T) {}
}
/// A handle of a `Stack` that a manager's server owns.
pub struct StackProxy<T: Item + Sync>(
    renamed::__private::Handle<Stack<T>>,
)
where
    T: Clone;
const _: () = {
    impl<T: Item + Sync> renamed::__private::Managed for Stack<T>
    where
        T: Clone,
    {
        type Proxy = StackProxy<T>;
    }
    impl<T: Item + Sync> ::core::convert::From<renamed::__private::Handle<Stack<T>>>
    for StackProxy<T>
    where
        T: Clone,
    {
        fn from(handle: renamed::__private::Handle<Stack<T>>) -> Self {
            Self(handle)
        }
    }
    impl<T: Item + Sync> ::core::convert::AsRef<renamed::__private::Handle<Stack<T>>>
    for StackProxy<T>
    where
        T: Clone,
    {
        fn as_ref(&self) -> &renamed::__private::Handle<Stack<T>> {
            &self.0
        }
    }
    impl<T: Item + Sync> ::core::clone::Clone for StackProxy<T>
    where
        T: Clone,
    {
        fn clone(&self) -> Self {
            Self(::core::clone::Clone::clone(&self.0))
        }
    }
    impl<T: Item + Sync> ::core::fmt::Debug for StackProxy<T>
    where
        T: Clone,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.0, f)
        }
    }
    impl<T: Item + Sync> renamed::__private::serde::Serialize for StackProxy<T>
    where
        T: Clone,
    {
        fn serialize<__S: renamed::__private::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            renamed::__private::serde::Serialize::serialize(&self.0, serializer)
        }
    }
    impl<'de, T: Item + Sync> renamed::__private::serde::Deserialize<'de>
    for StackProxy<T>
    where
        T: Clone,
    {
        fn deserialize<__D: renamed::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            renamed::__private::serde::Deserialize::deserialize(deserializer).map(Self)
        }
    }
};
impl<T: Item + Sync> StackProxy<T>
where
    T: Clone,
{
    pub fn new(
        manager: &renamed::__private::Manager,
    ) -> ::core::result::Result<Self, renamed::__private::ManagerError> {
        renamed::__private::create::<Stack<T>, _>(manager, |()| <Stack<T>>::new(), &())
    }
    pub fn push(
        &self,
        arg0: T,
    ) -> ::core::result::Result<(), renamed::__private::ManagerError> {
        self.0
            .change::<
                _,
                (),
            >(
                |object: &mut Stack<T>, (arg0,)| <Stack<T>>::push(object, arg0),
                &(renamed::__private::Owned(arg0),),
            )
    }
}
