//! Places on the sphere.

use wire::zones::Location;

/// The mean radius of the earth in kilometres.
const RADIUS: f64 = 6_371.0;

/// A place on earth, as a vector of length 1 from its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot([f64; 3]);

impl Spot {
    /// The place at these degrees; `None` if there is none.
    #[must_use]
    pub fn new(location: Location) -> Option<Self> {
        let Location { latitude, longitude } = location;
        let fits = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let (north, east) = (latitude.to_radians(), longitude.to_radians());
        fits.then(|| Self([north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]))
    }

    /// Its degrees.
    #[must_use]
    pub fn location(&self) -> Location {
        let [x, y, z] = self.0;
        let (latitude, longitude) = (z.clamp(-1.0, 1.0).asin(), y.atan2(x));
        Location { latitude: latitude.to_degrees(), longitude: longitude.to_degrees() }
    }

    /// The square of the straight line between two places, 0 to 4. It grows as the great-circle distance does, and
    /// is exact also for places next to each other, where the angle's cosine is not.
    #[must_use]
    pub fn chord(&self, other: &Self) -> f64 {
        let [x, y, z] = self.0;
        let [a, b, c] = other.0;
        (x - a) * (x - a) + (y - b) * (y - b) + (z - c) * (z - c)
    }

    /// The great-circle distance in kilometres.
    #[must_use]
    pub fn kilometres(&self, other: &Self) -> f64 {
        2.0 * RADIUS * (self.chord(other).sqrt() / 2.0).min(1.0).asin()
    }
}
