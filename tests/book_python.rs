//! The book's table for people who come from Python has every public name of the two packages.

mod repo;

/// The public names of `multiprocessing`, its submodules that users import, and `concurrent.futures`, as of Python 3.14.
const NAMES: &str = "
    Array AuthenticationError Barrier BoundedSemaphore BufferTooShort Condition Event JoinableQueue Lock Manager Pipe Pool Process ProcessError Queue RLock
    RawArray RawValue Semaphore SimpleQueue TimeoutError Value active_children allow_connection_pickling cpu_count current_process freeze_support
    get_all_start_methods get_context get_logger get_start_method log_to_stderr parent_process reducer set_executable set_forkserver_preload set_start_method

    authkey close daemon exitcode ident is_alive join kill name pid run sentinel start terminate interrupt

    SharedMemory ShareableList buf size unlink track copy synchronized get_lock get_obj
    BaseManager SyncManager BaseProxy Token SharedMemoryManager register connect get_server shutdown serve_forever Namespace RemoteError
    Client Listener wait deliver_challenge answer_challenge closed fileno poll readable recv recv_bytes recv_bytes_into send send_bytes writable

    put put_nowait get get_nowait qsize empty full join_thread cancel_join_thread task_done Empty Full
    acquire release set clear is_set wait_for notify notify_all abort reset parties n_waiting broken BrokenBarrierError

    apply apply_async imap imap_unordered map map_async starmap starmap_async ready successful AsyncResult ThreadPool
    initializer maxtasksperchild callback error_callback

    ALL_COMPLETED FIRST_COMPLETED FIRST_EXCEPTION BrokenExecutor BrokenProcessPool BrokenThreadPool CancelledError Executor Future InvalidStateError
    InterpreterPoolExecutor ProcessPoolExecutor ThreadPoolExecutor as_completed submit max_tasks_per_child buffersize chunksize terminate_workers kill_workers
    add_done_callback cancel cancelled done exception result running set_exception set_result set_running_or_notify_cancel
";

#[test]
fn every_name_of_python_is_in_the_table() {
    let page = repo::read("book/src/python.md");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let theirs: String = rows.filter_map(|row| row.split('|').nth(1)).collect();
    let words: Vec<&str> = theirs
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let missing: Vec<&str> =
        NAMES.split_whitespace().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "not in book/src/python.md: {missing:?}");
}
