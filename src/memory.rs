//! Room for volumes: in large pages, and given back.
//!
//! The system gives memory page by page, each when it is first written: a PET of 400 x 400 x 645 in pages of 4 KB costs a
//! hundred thousand interruptions, more time than all else that is done while it is read. Linux gives pages of 2 MB where
//! it is asked to, and the allocator gives large buffers back where it is told to. This is the one module with unsafe code.

/// Where a large page may begin; most machines have pages of this size.
const PAGE_BYTES: usize = 1 << 21;

/// So many zeros (the default of numbers), in large pages where the system has them.
///
/// Fast because the zeros of a large volume are the system's: no page is written before it is used.
pub(crate) fn zeroed<T: Copy + Default>(count: usize) -> Vec<T> {
    let values = vec![T::default(); count];
    ask_for_large_pages(&values);
    values
}

/// Whether the system will give large pages for those places of the values that lie in whole ones.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "there is no safe way to advise the system about memory of a vector"
)]
fn ask_for_large_pages<T>(values: &[T]) -> bool {
    use rustix::mm::{Advice, madvise};
    let (start, bytes) = (values.as_ptr().cast::<u8>(), size_of_val(values));
    let before = start.addr().next_multiple_of(PAGE_BYTES) - start.addr();
    let whole = bytes.saturating_sub(before) / PAGE_BYTES * PAGE_BYTES;
    if whole == 0 {
        return false;
    }
    // SAFETY: the range lies within the values, and this advice changes no byte and no right of access, only how pages
    // that are not there yet are made.
    let advised = unsafe {
        madvise(start.wrapping_add(before).cast_mut().cast(), whole, Advice::LinuxHugepage)
    };
    // A system that has none gives pages of the usual size.
    advised.is_ok()
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages<T>(_: &[T]) -> bool {
    false
}

/// Buffers of more bytes are mapped, each by itself.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES: i32 = 1 << 21;

/// Gives the room of each large buffer back to the system when it is freed. For a program to call when it begins: it is a
/// setting of the whole process.
///
/// The allocator of glibc would keep more and more of it: the first buffer that is freed tells it that more of that size are
/// to come. The masks and lattices of a scan are of all sizes, and its peak would be higher by a tenth.
pub fn give_back_when_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "the allocator is set by a call to it")]
    // SAFETY: the call takes two numbers and changes where later buffers are taken from. One that is refused changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_zero_and_can_be_written_whatever_their_number() {
        for count in [0, 1, PAGE_BYTES / 4, PAGE_BYTES, 3 * PAGE_BYTES + 7] {
            let mut values = zeroed::<u32>(count);
            assert_eq!(values, vec![0; count]);
            values.fill(7);
            assert_eq!(values, vec![7; count]);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_volume_is_advised_and_what_is_smaller_than_a_page_is_not() {
        assert!(!ask_for_large_pages(&vec![0_u8; PAGE_BYTES - 1]));
        assert!(!ask_for_large_pages::<f32>(&[]));
        // A system may have been built without large pages, and then shows no setting of them.
        let known = std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists();
        assert_eq!(ask_for_large_pages(&vec![0_u8; 4 * PAGE_BYTES]), known);
    }
}
