//! The hash functions BLAKE2b and BLAKE2s of RFC 7693, with key, salt and personal string. Their unfinished state is bytes, as
//! `digest.rs` wants it, which no crate offers. Must not know modules.

/// Which word of the block goes where, by round.
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// The four corners of each mixing step: first the columns, then the diagonals.
const CORNERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// A hash function that a caller goes through step by step.
pub trait Blake2: Sized {
    /// With a block of parameters, whose first byte is the size of the digest, and a key.
    fn start(parameters: &[u8], key: &[u8]) -> Option<Self>;
    /// From what `save` gave.
    fn load(state: &[u8]) -> Option<Self>;
    fn save(&self) -> Vec<u8>;
    fn update(&mut self, data: &[u8]);
    fn finish(self) -> Vec<u8>;
}

macro_rules! blake2 {
    ($name:ident, $word:ty, $rounds:literal, $block:literal, $turns:expr, $start:expr) => {
        pub struct $name {
            chain: [$word; 8],
            count: u128,
            size: u8,
            /// Not yet hashed: at the end it is the last block.
            waiting: Vec<u8>,
        }

        impl $name {
            const START: [$word; 8] = $start;
            const WIDTH: usize = size_of::<$word>();

            /// Little-endian words of bytes, zeros at the end.
            fn words<const N: usize>(bytes: &[u8]) -> [$word; N] {
                let mut words = [0; N];
                for (word, part) in words.iter_mut().zip(bytes.chunks(Self::WIDTH)) {
                    let mut whole = [0; size_of::<$word>()];
                    whole[..part.len()].copy_from_slice(part);
                    *word = <$word>::from_le_bytes(whole);
                }
                words
            }

            fn compress(&mut self, block: &[u8], last: bool) {
                let message: [$word; 16] = Self::words(block);
                self.count += block.len() as u128;
                let mut v = [0; 16];
                v[..8].copy_from_slice(&self.chain);
                v[8..].copy_from_slice(&Self::START);
                v[12] ^= self.count as $word;
                v[13] ^= (self.count >> <$word>::BITS) as $word;
                if last {
                    v[14] = !v[14];
                }
                for round in 0..$rounds {
                    let order = &ORDER[round % 10];
                    for (step, corners) in CORNERS.iter().enumerate() {
                        Self::mix(&mut v, corners, message[order[2 * step]], message[order[2 * step + 1]]);
                    }
                }
                for (i, word) in self.chain.iter_mut().enumerate() {
                    *word ^= v[i] ^ v[i + 8];
                }
            }

            fn mix(v: &mut [$word; 16], &[a, b, c, d]: &[usize; 4], x: $word, y: $word) {
                const TURNS: [u32; 4] = $turns;
                v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                v[d] = (v[d] ^ v[a]).rotate_right(TURNS[0]);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(TURNS[1]);
                v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                v[d] = (v[d] ^ v[a]).rotate_right(TURNS[2]);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(TURNS[3]);
            }
        }

        impl Blake2 for $name {
            fn start(parameters: &[u8], key: &[u8]) -> Option<Self> {
                let size = *parameters.first()?;
                let mut chain = Self::START;
                let parameters: [$word; 8] = Self::words(parameters);
                chain.iter_mut().zip(parameters).for_each(|(word, parameter)| *word ^= parameter);
                let mut waiting = key.to_vec();
                if !key.is_empty() {
                    waiting.resize($block, 0);
                }
                Some($name { chain, count: 0, size, waiting })
            }

            fn load(state: &[u8]) -> Option<Self> {
                let (chain, rest) = state.split_at_checked(8 * Self::WIDTH)?;
                let (count, rest) = rest.split_first_chunk::<16>()?;
                let (size, waiting) = rest.split_first()?;
                let (chain, count) = (Self::words(chain), u128::from_le_bytes(*count));
                Some($name { chain, count, size: *size, waiting: waiting.to_vec() })
            }

            fn save(&self) -> Vec<u8> {
                let mut state: Vec<u8> = self.chain.iter().flat_map(|word| word.to_le_bytes()).collect();
                state.extend(self.count.to_le_bytes());
                state.push(self.size);
                state.extend(&self.waiting);
                state
            }

            fn update(&mut self, data: &[u8]) {
                let mut all = std::mem::take(&mut self.waiting);
                all.extend(data);
                let whole = all.len().saturating_sub(1) / $block * $block;
                let (blocks, rest) = all.split_at(whole);
                blocks.chunks($block).for_each(|block| self.compress(block, false));
                self.waiting = rest.to_vec();
            }

            fn finish(mut self) -> Vec<u8> {
                let last = std::mem::take(&mut self.waiting);
                self.compress(&last, true);
                let mut digest: Vec<u8> = self.chain.iter().flat_map(|word| word.to_le_bytes()).collect();
                digest.truncate(usize::from(self.size));
                digest
            }
        }
    };
}

blake2!(
    Blake2b,
    u64,
    12,
    128,
    [32, 24, 16, 63],
    [
        0x6a09e667f3bcc908,
        0xbb67ae8584caa73b,
        0x3c6ef372fe94f82b,
        0xa54ff53a5f1d36f1,
        0x510e527fade682d1,
        0x9b05688c2b3e6c1f,
        0x1f83d9abfb41bd6b,
        0x5be0cd19137e2179,
    ]
);

blake2!(
    Blake2s,
    u32,
    10,
    64,
    [16, 12, 8, 7],
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,]
);
