//! Room for volumes in large pages of memory.
//!
//! The system gives memory page by page, each when it is first written: a PET of 400 x 400 x 645 in pages of 4 KB costs a
//! hundred thousand interruptions, more time than all else that is done while it is read. Linux gives pages of 2 MB where
//! it is asked to. This is the one module with unsafe code.

/// Room that is smaller is left to the allocator, which uses what was freed again.
const LEAST_BYTES: usize = 1 << 22;

/// So many zeros (the default of numbers), in large pages where the system has them.
///
/// Fast because the zeros are the system's: no page is written before it is used.
pub(crate) fn zeroed<T: Copy + Default>(count: usize) -> Vec<T> {
    let values = vec![T::default(); count];
    if size_of_val(values.as_slice()) >= LEAST_BYTES {
        ask_for_large_pages(&values);
    }
    values
}

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "there is no safe way to advise the system about memory of a vector"
)]
fn ask_for_large_pages<T>(values: &[T]) {
    use rustix::mm::{Advice, madvise};
    let (start, bytes) = (values.as_ptr().cast_mut(), size_of_val(values));
    // The system wants the start of a page; what of the first one lies before the values is the allocator's, and is
    // advised with them.
    let before = start.addr() % rustix::param::page_size();
    let page = start.cast::<u8>().wrapping_sub(before).cast();
    // SAFETY: this advice changes no byte and no right of access, only how pages that are not there yet are made. The range
    // is that of the values and of the rest of their first page, which are mapped.
    let advised = unsafe { madvise(page, bytes + before, Advice::LinuxHugepage) };
    // A system that has none gives pages of the usual size.
    let _ = advised;
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages<T>(_: &[T]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_zero_and_can_be_written_whatever_their_number() {
        for count in [0, 1, LEAST_BYTES / 4 - 1, LEAST_BYTES / 4, 3 * LEAST_BYTES + 7] {
            let mut values = zeroed::<u32>(count);
            assert_eq!(values, vec![0; count]);
            values.fill(7);
            assert_eq!(values, vec![7; count]);
        }
    }
}
