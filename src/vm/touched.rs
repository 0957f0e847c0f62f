//! Which entries of a table hold something: as long as they are few, the table is emptied by emptying those. Code that makes
//! classes empties the same tables again and again, with little in them. Must not know what is in the table.

const FEW: usize = 32;

/// The places that were written since the table was empty.
pub struct Touched {
    places: [u16; FEW],
    /// More than `FEW`: nobody knows which.
    count: usize,
}

impl Touched {
    /// Nothing.
    pub const fn new() -> Touched {
        Touched { places: [0; FEW], count: 0 }
    }

    /// That place is written.
    pub fn note(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(self.count) {
            *place = at as u16;
        }
        self.count = (self.count + 1).min(FEW + 1);
    }

    /// Empties the table.
    pub fn clear<T: Copy>(&mut self, table: &mut [T], free: T) {
        match self.places.get(..self.count) {
            Some(places) => {
                for at in places {
                    if let Some(entry) = table.get_mut(usize::from(*at)) {
                        *entry = free;
                    }
                }
            }
            None => table.fill(free),
        }
        self.count = 0;
    }
}

impl Default for Touched {
    fn default() -> Touched {
        Touched::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, Touched};

    #[test]
    fn few_and_many_written_places_are_emptied() {
        for count in [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let (mut table, mut touched) = (vec![0; 4 * FEW], Touched::new());
            for round in 1..3 {
                for (at, entry) in table.iter_mut().enumerate().take(count) {
                    *entry = round;
                    touched.note(at);
                }
                touched.clear(&mut table, 0);
                assert!(table.iter().all(|entry| *entry == 0), "{count} places");
            }
        }
    }
}
