//! Queues where things are scarce: very many processes, one processor, no memory.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    limits::{Cgroup, address_space, with_limit},
    stay_on_one_cpu, watchdog, watchdog_for,
};
use psync::prelude::*;
use std::{fs, path::PathBuf, time::Duration};

type Numbers = Queue<(u64, u64)>;

/// Passes numbers on until there is nothing left to take.
#[process]
fn pass(from: Numbers, to: Numbers, here: &Barrier, me: u64) {
    here.wait().expect("all come");
    while let Ok((number, _)) = from.recv() {
        to.send((number, me)).expect("room");
    }
}

/// All hold both queues, and nearly all wait at the same one most of the time.
fn many_on_one_queue(processes: usize, messages: u64, kills: usize) {
    let (from, to) = (Queue::bounded(32).expect("memory"), Queue::unbounded().expect("memory"));
    let here = Shared::new(Barrier::new(processes + 1)).expect("memory");
    let children: Vec<_> = (0..processes as u64)
        .map(|me| pass::spawn(from.clone(), to.clone(), &here, me).expect("starts"))
        .collect();
    here.wait().expect("all come");
    from.send_all((0..messages).map(|number| (number, 0))).expect("room");
    // Each of those takes one number along at most.
    let (killed, rest) = children.split_at(kills);
    for child in killed {
        child.kill().expect("signals");
    }
    from.send_all((messages..2 * messages).map(|number| (number, 0))).expect("room");
    from.close();
    for child in killed {
        assert_eq!(child.wait().signal(), Some(libc::SIGKILL));
    }
    for child in rest {
        assert!(child.wait().success());
    }
    let mut seen: Vec<u64> =
        core::iter::from_fn(|| to.try_recv().ok()).map(|(number, _)| number).collect();
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all, "some come twice");
    let lost = 2 * messages - all as u64;
    assert!(lost <= kills as u64, "{lost} messages are lost");
}

#[test]
fn two_hundred_processes_on_one_queue() {
    let _watchdog = watchdog_for(Duration::from_mins(5));
    many_on_one_queue(200, 4_000, 10);
}

/// The supervisor and all that it starts are on the same processor, too.
#[process(start_method = StartMethod::Spawn)]
fn on_one_cpu() {
    stay_on_one_cpu();
    many_on_one_queue(16, 2_000, 3);
}

#[test]
fn a_whole_program_on_one_processor() {
    let _watchdog = watchdog_for(Duration::from_mins(5));
    on_one_cpu::spawn().expect("starts").join().expect("ends");
}

/// From here on the kernel has no memory for this thread's files beyond an offset. It is a filter that answers in its place, as it would.
#[allow(clippy::cast_possible_truncation, reason = "short constants")]
fn end_of_memory(offset: u32) {
    // Where the number and the arguments of a system call lie, the latter in two halves.
    const NUMBER: u32 = 0;
    const MODE: u32 = 24;
    const OFFSET: u32 = 32;
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let is = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let is_at_least = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let op = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        op(load, NUMBER, 0, 0),
        op(is, libc::SYS_fallocate as u32, 0, 7),
        op(load, MODE, 0, 0),
        op(is, 0, 0, 5),
        op(load, OFFSET + 4, 0, 0),
        op(is, 0, 0, 2),
        op(load, OFFSET, 0, 0),
        op(is_at_least, offset, 0, 1),
        op(answer, libc::SECCOMP_RET_ERRNO | libc::ENOSPC as u32, 0, 0),
        op(answer, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: takes numbers.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: reads a program that lives during the call.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

fn message(number: u32) -> Vec<u32> {
    vec![number; 250]
}

/// Sends until there is no memory; how many went.
fn fill(queue: &Queue<Vec<u32>>, reason: &str) -> u32 {
    let mut number = 0;
    let error = loop {
        match queue.send(message(number)) {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 100_000, "it never ends");
    };
    assert_eq!(error.kind(), SendErrorKind::System);
    let text = error.to_string();
    assert!(text.contains("no memory") && text.contains(reason), "{text}");
    assert_eq!(error.into_inner(), message(number));
    assert_eq!(queue.len(), number as usize);
    number
}

#[process]
fn fill_and_go_on(queue: Queue<Vec<u32>>) -> u32 {
    // Four mebibytes of messages; a long one lies beyond.
    end_of_memory(8 << 20);
    let long = vec![1; 1 << 20];
    let count = fill(&queue, "fallocate");
    assert!((4_000..4_200).contains(&count), "{count} messages");
    assert_eq!(refusal(&queue, long), SendErrorKind::System);
    for number in 0..count {
        assert_eq!(queue.try_recv(), Ok(message(number)));
    }
    assert_eq!(queue.try_recv(), Err(RecvError::Empty));
    // What was read is used again.
    let again = fill(&queue, "fallocate");
    assert!(again > 900, "{again} messages");
    again
}

fn refusal(queue: &Queue<Vec<u32>>, value: Vec<u32>) -> SendErrorKind {
    let len = queue.len();
    let kind = queue.send(value).expect_err("no memory").kind();
    assert_eq!(queue.len(), len, "no place is taken");
    kind
}

#[test]
fn the_end_of_memory_is_an_error_of_send_and_the_queue_goes_on() {
    let _watchdog = watchdog();
    let queue = Queue::unbounded().expect("memory");
    let count = fill_and_go_on::spawn(queue.clone()).expect("starts").join().expect("ends");
    for number in 0..count {
        assert_eq!(queue.recv(), Ok(message(number)));
    }
    queue.send_all((0..10_000).map(message)).expect("there is memory for others");
    assert!(queue.recv_many(10_000).into_iter().eq((0..10_000).map(message)));
}

/// There is memory, but no place in this process to see it.
#[process]
fn fill_the_address_space(queue: Queue<Vec<u32>>) -> u32 {
    queue.send(message(0)).expect("room");
    queue.recv().expect("a message");
    let limit = address_space(3 << 20);
    let count = with_limit(libc::RLIMIT_AS, limit, || fill(&queue, "mmap"));
    queue.send(message(count)).expect("there is room again");
    count + 1
}

#[test]
fn the_end_of_the_address_space_is_an_error_of_send_and_the_queue_goes_on() {
    let _watchdog = watchdog();
    let queue = Queue::unbounded().expect("memory");
    let count = fill_the_address_space::spawn(queue.clone()).expect("starts").join().expect("ends");
    assert!(queue.recv_many(usize::MAX).into_iter().eq((0..count).map(message)));
}

/// Long messages and jobs lie far back in the file, where a process with a limit for files may not write.
#[process]
fn use_small_files(queue: Queue<Vec<u32>>, jobs: WorkQueue<u32>) {
    with_limit(libc::RLIMIT_FSIZE, 1 << 30, || {
        queue.send(message(1)).expect("short ones do");
        let error = queue.send(vec![1; 1 << 20]).expect_err("it is too long");
        assert_eq!(error.kind(), SendErrorKind::System);
        assert!(error.to_string().contains("RLIMIT_FSIZE"), "{error}");
        assert_eq!(queue.recv(), Ok(message(1)));
        let error = jobs.recv().expect_err("it cannot be held").to_string();
        assert!(error.contains("RLIMIT_FSIZE"), "{error}");
        assert_eq!(jobs.unfinished(), 1);
    });
    queue.send(vec![1; 1 << 20]).expect("there is no limit any more");
    jobs.recv().expect("it is there still").done();
}

#[test]
fn a_limit_for_files_is_an_error_and_no_death() {
    let _watchdog = watchdog();
    let (queue, jobs) = (Queue::unbounded().expect("memory"), WorkQueue::unbounded());
    let jobs = jobs.expect("memory");
    jobs.send(7).expect("room");
    use_small_files::spawn(queue.clone(), jobs).expect("starts").join().expect("ends");
    assert_eq!(queue.recv(), Ok(vec![1; 1 << 20]));
}

#[process]
fn fill_the_cgroup(queue: Queue<Vec<u32>>, group: PathBuf) -> u32 {
    let own = psync::current().pid().to_string();
    fs::write(group.join("cgroup.procs"), own).expect("it can be entered");
    fill(&queue, "fallocate")
}

/// The kernel may refuse, or end the process that asks. What it had sent is there, in order, and others go on.
#[test]
fn a_sender_that_its_cgroup_has_no_memory_for_loses_nothing() {
    let _watchdog = watchdog();
    let group = match Cgroup::new(48 << 20) {
        Ok(group) => group,
        Err(error) => return eprintln!("skipped: there is no memory cgroup to be had: {error}"),
    };
    let queue = Queue::unbounded().expect("memory");
    let child = fill_the_cgroup::spawn(queue.clone(), group.path()).expect("starts");
    let sent = match child.join() {
        Ok(count) => Some(count),
        Err(ProcessError::Signaled { signal: libc::SIGKILL, .. }) => None,
        Err(other) => panic!("{other}"),
    };
    let all: Vec<_> = core::iter::from_fn(|| queue.try_recv().ok()).collect();
    let count = u32::try_from(all.len()).expect("few");
    eprintln!("{count} messages were sent; {sent:?}");
    assert!(count > 10_000 && sent.is_none_or(|sent| sent == count));
    assert!(all.into_iter().eq((0..count).map(message)));
    queue.send(message(1)).expect("there is memory for others");
    assert_eq!(queue.try_recv(), Ok(message(1)));
}
