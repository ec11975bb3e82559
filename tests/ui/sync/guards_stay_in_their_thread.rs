//! A guard is the thread's that has acquired it: the kernel knows the lock as that thread's.

use psync::{Array, Lock, Mutex, ReentrantMutex, RwLock, Value};

fn to_another_thread<T: Send>(_: T) {}

fn main() {
    let (lock, mutex, again) = (Lock::new(), Mutex::new(0), ReentrantMutex::new(0));
    let (table, value) = (RwLock::new(0), Value::new(0));
    let array = Array::<u32>::zeroed(3).unwrap();
    to_another_thread(lock.lock().unwrap());
    to_another_thread(mutex.lock().unwrap());
    to_another_thread(again.lock().unwrap());
    to_another_thread(table.read().unwrap());
    to_another_thread(table.write().unwrap());
    to_another_thread(value.lock().unwrap());
    to_another_thread(array.lock().unwrap());
}
