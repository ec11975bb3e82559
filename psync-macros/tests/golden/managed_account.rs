impl Account {
    /// Opens one.
    pub fn open(cents: i64) -> Self {
        Account { cents }
    }
    /// Adds to it.
    pub fn deposit(&mut self, cents: i64, reason: &str) -> Result<i64, String> {
        todo(cents, reason)
    }
    pub(crate) fn balance(&self) -> i64 {
        self.cents
    }
    pub fn limit() -> i64 {
        100
    }
    fn secret(&self) {}
}
/// A handle of a `Account` that a manager's server owns.
pub struct AccountProxy(::psync::__private::Handle<Account>);
const _: () = {
    impl ::psync::__private::Managed for Account {
        type Proxy = AccountProxy;
    }
    impl ::core::convert::From<::psync::__private::Handle<Account>> for AccountProxy {
        fn from(handle: ::psync::__private::Handle<Account>) -> Self {
            Self(handle)
        }
    }
    impl ::core::convert::AsRef<::psync::__private::Handle<Account>> for AccountProxy {
        fn as_ref(&self) -> &::psync::__private::Handle<Account> {
            &self.0
        }
    }
    impl ::core::clone::Clone for AccountProxy {
        fn clone(&self) -> Self {
            Self(::core::clone::Clone::clone(&self.0))
        }
    }
    impl ::core::fmt::Debug for AccountProxy {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.0, f)
        }
    }
    impl ::psync::__private::serde::Serialize for AccountProxy {
        fn serialize<__S: ::psync::__private::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            ::psync::__private::serde::Serialize::serialize(&self.0, serializer)
        }
    }
    impl<'de> ::psync::__private::serde::Deserialize<'de> for AccountProxy {
        fn deserialize<__D: ::psync::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            ::psync::__private::serde::Deserialize::deserialize(deserializer).map(Self)
        }
    }
};
impl AccountProxy {
    /// Opens one.
    pub fn open(
        manager: &::psync::__private::Manager,
        cents: i64,
    ) -> ::core::result::Result<Self, ::psync::__private::ManagerError> {
        ::psync::__private::create::<
            Account,
            _,
        >(
            manager,
            |(cents,)| <Account>::open(cents),
            &(::psync::__private::Owned(cents),),
        )
    }
    /// Adds to it.
    pub fn deposit(
        &self,
        cents: i64,
        reason: &str,
    ) -> ::core::result::Result<Result<i64, String>, ::psync::__private::ManagerError> {
        self.0
            .change::<
                _,
                Result<i64, String>,
            >(
                |object: &mut Account, (cents, reason)| <Account>::deposit(
                    object,
                    cents,
                    &reason,
                ),
                &(
                    ::psync::__private::Owned(cents),
                    ::psync::__private::Owned(::std::borrow::ToOwned::to_owned(reason)),
                ),
            )
    }
    pub(crate) fn balance(
        &self,
    ) -> ::core::result::Result<i64, ::psync::__private::ManagerError> {
        self.0.look::<_, i64>(|object: &Account, ()| <Account>::balance(object), &())
    }
}
