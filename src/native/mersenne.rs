//! The Mersenne Twister MT19937 of Matsumoto and Nishimura, seeded and read as CPython does it. Must not know values.

const N: usize = 624;
const M: usize = 397;

/// The generator's state.
#[derive(Clone)]
pub struct Twister {
    words: [u32; N],
    /// The next word to give out; `N`: make new ones first.
    next: usize,
}

impl Twister {
    /// Seeded with the words of a key, of which there is at least one.
    pub fn new(key: &[u32]) -> Twister {
        let mut t = Twister::from_word(19_650_218);
        let (mut i, mut j) = (1, 0);
        let mix = |words: &[u32; N], i: usize| words[i - 1] ^ words[i - 1] >> 30;
        for _ in 0..N.max(key.len()) {
            let added = key.get(j).copied().unwrap_or(0).wrapping_add(j as u32);
            t.words[i] = (t.words[i] ^ mix(&t.words, i).wrapping_mul(1_664_525)).wrapping_add(added);
            i = t.step(i);
            j = if j + 1 >= key.len() { 0 } else { j + 1 };
        }
        for _ in 0..N - 1 {
            t.words[i] = (t.words[i] ^ mix(&t.words, i).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i = t.step(i);
        }
        t.words[0] = 1 << 31;
        t
    }

    /// The index after `i`; round the end, the last word is carried to the front.
    fn step(&mut self, i: usize) -> usize {
        if i + 1 < N {
            return i + 1;
        }
        self.words[0] = self.words[N - 1];
        1
    }

    fn from_word(seed: u32) -> Twister {
        let mut words = [seed; N];
        for i in 1..N {
            let before = words[i - 1] ^ words[i - 1] >> 30;
            words[i] = before.wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Twister { words, next: N }
    }

    fn refill(&mut self) {
        for i in 0..N {
            let y = self.words[i] & 1 << 31 | self.words[(i + 1) % N] & !(1 << 31);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[i] = self.words[(i + M) % N] ^ y >> 1 ^ odd;
        }
        self.next = 0;
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        if self.next >= N {
            self.refill();
        }
        let mut y = self.words.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// A float in 0..1 of 53 random bits.
    pub fn float(&mut self) -> f64 {
        let (a, b) = (self.word() >> 5, self.word() >> 6);
        (a as f64 * 67_108_864.0 + b as f64) / 9_007_199_254_740_992.0
    }

    /// The words, and the position in them.
    pub fn state(&self) -> (&[u32], usize) {
        (&self.words, self.next)
    }

    /// Of `state`; `None` if it can be none.
    pub fn from_state(words: &[u32], next: usize) -> Option<Twister> {
        (next <= N).then_some(Twister { words: words.try_into().ok()?, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_cpython() {
        // random.Random(42) and random.Random(2**40).
        let mut t = Twister::new(&[42]);
        assert_eq!(t.float(), 0.6394267984578837);
        assert_eq!(t.word(), 107420369);
        assert_eq!(Twister::new(&[0, 256]).float(), 0.1036394562812375);
        let (words, next) = t.state();
        let mut copy = Twister::from_state(words, next).expect("a state");
        assert!((0..2000).all(|_| copy.word() == t.word()));
        assert!(Twister::from_state(&[1, 2], 0).is_none());
    }
}
