//! Numbers that are the same in each run, with any version of any library: SplitMix64 (Steele, Lea and Flood, 2014).

/// A source of random numbers.
pub struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that happens in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// From 0 to below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.share() * end as f64) as usize
    }

    /// From 0 to below `end`, each number about half as often as the one at half of it (Zipf's law).
    pub fn zipf(&mut self, end: usize) -> usize {
        ((end as f64).powf(self.share()) as usize).clamp(1, end) - 1
    }

    /// With mean 0 and variance 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = ((1.0 - self.share()).ln() * -2.0, self.share() * std::f64::consts::TAU);
        radius.sqrt() * angle.cos()
    }

    /// An index into shares that add up to 1; the last when they do not.
    pub fn choose(&mut self, shares: &[f64]) -> usize {
        let mut left = self.share();
        shares
            .iter()
            .position(|share| {
                left -= share;
                left < 0.0
            })
            .unwrap_or(shares.len() - 1)
    }
}
