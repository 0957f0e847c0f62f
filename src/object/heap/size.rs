//! Size classes: which cell size serves a request, and where the cells of a block begin. Pure tables.

/// What addresses, mark bits and compressed references count in.
pub const GRANULE: usize = 16;
/// Small cells of one size share a block; large objects take whole blocks.
pub const BLOCK: usize = 32 << 10;
/// Words of a block's bitmap: one bit per granule.
pub const WORDS: usize = BLOCK / GRANULE / 64;
/// Largest request that is served from a size class.
pub const SMALL_MAX: usize = 16 << 10;
/// Up to here classes go in steps of a granule, and the class is the number of granules.
pub const FINE_MAX: usize = 512;
const FINE: usize = FINE_MAX / GRANULE;

/// Beyond `FINE_MAX` a class is chosen by how many of its cells fill a block.
const COARSE: [usize; 17] = [51, 42, 36, 32, 25, 21, 18, 16, 13, 10, 8, 7, 6, 5, 4, 3, 2];
/// Number of classes; class 0 is unused, so that 0 can mean "no class".
pub const CLASSES: usize = 1 + FINE + COARSE.len();

/// Cell size of each class, in bytes.
pub const SIZES: [usize; CLASSES] = sizes();
/// Class of a request, by its granules, rounded up.
static CLASS_OF: [u8; SMALL_MAX / GRANULE + 1] = class_of();
/// Of each class, the bits of a block's bitmap at which its cells begin.
pub static STARTS: [[u64; WORDS]; CLASSES] = starts();

const fn sizes() -> [usize; CLASSES] {
    let mut sizes = [BLOCK; CLASSES];
    let mut class = 1;
    while class < CLASSES {
        sizes[class] = if class <= FINE {
            class * GRANULE
        } else {
            BLOCK / COARSE[class - FINE - 1] / GRANULE * GRANULE
        };
        class += 1;
    }
    sizes
}

const fn class_of() -> [u8; SMALL_MAX / GRANULE + 1] {
    let mut table = [1; SMALL_MAX / GRANULE + 1];
    let (mut granules, mut class) = (1, 1);
    while granules < table.len() {
        while SIZES[class] < granules * GRANULE {
            class += 1;
        }
        table[granules] = class as u8;
        granules += 1;
    }
    table
}

const fn starts() -> [[u64; WORDS]; CLASSES] {
    let mut table = [[0; WORDS]; CLASSES];
    let mut class = 1;
    while class < CLASSES {
        let step = SIZES[class] / GRANULE;
        let mut cell = 0;
        while cell < cells(class) {
            let bit = cell * step;
            table[class][bit / 64] |= 1 << (bit % 64);
            cell += 1;
        }
        class += 1;
    }
    table
}

/// Class of a request of at most `SMALL_MAX` bytes.
#[inline(always)]
pub fn class_for(bytes: usize) -> usize {
    let granules = bytes.div_ceil(GRANULE);
    if bytes <= FINE_MAX { granules.max(1) } else { coarse_class(granules) }
}

fn coarse_class(granules: usize) -> usize {
    CLASS_OF.get(granules).map_or(CLASSES - 1, |c| *c as usize)
}

/// Cell size of a class that comes out of a side table.
#[inline]
pub fn size_of_class(class: usize) -> usize {
    SIZES.get(class).copied().unwrap_or(BLOCK)
}

/// Cells in a block of this class.
pub const fn cells(class: usize) -> usize {
    BLOCK / SIZES[class]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_small_request_gets_a_cell_that_fits_and_wastes_little() {
        for bytes in 0..=SMALL_MAX {
            let size = SIZES[class_for(bytes)];
            assert!(size >= bytes && size.is_multiple_of(GRANULE), "{bytes}");
            assert!(size <= 16 || bytes * 2 > size, "{bytes} in {size}");
        }
        assert_eq!(SIZES[CLASSES - 1], SMALL_MAX);
    }

    #[test]
    fn starts_are_as_many_as_cells() {
        for (class, starts) in STARTS.iter().enumerate().skip(1) {
            let bits: u32 = starts.iter().map(|w| w.count_ones()).sum();
            assert_eq!(bits as usize, cells(class));
        }
    }
}
