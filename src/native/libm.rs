//! Functions of the C library's mathematics that std lacks, or calculates in a way of its own.
//! CPython calls these, so the last digit agrees only if Mini does too. And gamma, which CPython calculates itself.

use std::f64::consts::PI;

mod c {
    unsafe extern "C" {
        pub fn acosh(x: f64) -> f64;
        pub fn asinh(x: f64) -> f64;
        pub fn atanh(x: f64) -> f64;
        pub fn erf(x: f64) -> f64;
        pub fn erfc(x: f64) -> f64;
        pub fn remainder(x: f64, y: f64) -> f64;
        pub fn nextafter(x: f64, y: f64) -> f64;
        #[cfg(target_env = "gnu")]
        pub fn cbrtf64(x: f64) -> f64;
    }
}

macro_rules! functions {
    ($($name:ident($($arg:ident),*)),* $(,)?) => { $(
        /// The C library's function of this name.
        pub fn $name($($arg: f64),*) -> f64 {
            // SAFETY: takes and returns numbers only.
            unsafe { c::$name($($arg),*) }
        }
    )* };
}

functions!(acosh(x), asinh(x), atanh(x), erf(x), erfc(x), remainder(x, y), nextafter(x, y));

/// The cube root. The name `cbrt` is taken by Rust's own version, which rounds otherwise; in glibc it has another one too.
pub fn cbrt(x: f64) -> f64 {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes and returns a number.
    return unsafe { c::cbrtf64(x) };
    #[cfg(not(target_env = "gnu"))]
    x.cbrt()
}

/// Lanczos' approximation of gamma with these constants (from Boost's documentation) is exact to double precision.
const G: f64 = 6.02468004077673;
const UPPER: [f64; 13] = [
    23531376880.41076,
    42919803642.6491,
    35711959237.35567,
    17921034426.03721,
    6039542586.352028,
    1439720407.3117216,
    248874557.86205417,
    31426415.585400194,
    2876370.6289353725,
    186056.26539522348,
    8071.672002365816,
    210.82427775157936,
    2.5066282746310002,
];
const LOWER: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

/// The quotient of the two polynomials; by powers of `1/x` for large `x`, which would overflow.
fn lanczos_sum(x: f64) -> f64 {
    let (mut upper, mut lower) = (0.0, 0.0);
    if x < 5.0 {
        for (u, l) in UPPER.iter().zip(&LOWER).rev() {
            upper = upper * x + u;
            lower = lower * x + l;
        }
    } else {
        for (u, l) in UPPER.iter().zip(&LOWER) {
            upper = upper / x + u;
            lower = lower / x + l;
        }
    }
    upper / lower
}

/// `sin(pi * x)`, exact where it matters.
fn sin_pi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let r = match (2.0 * y).round() as u8 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    r.copysign(1.0) * if (r < 0.0) != (x < 0.0) { -1.0 } else { 1.0 }
}

/// What `gamma` and `lgamma` say to an argument they have no answer for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GammaError {
    Domain,
    Range,
}

/// The gamma function.
pub fn gamma(x: f64) -> Result<f64, GammaError> {
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x);
    }
    if x == f64::NEG_INFINITY || x == 0.0 || (x == x.floor() && x < 0.0) {
        return Err(GammaError::Domain);
    }
    if x == x.floor() && x <= 23.0 {
        return Ok((1..x as u64).map(|n| n as f64).product());
    }
    let size = x.abs();
    let finite = |r: f64| if r.is_infinite() { Err(GammaError::Range) } else { Ok(r) };
    if size < 1e-20 {
        return finite(1.0 / x);
    }
    if size > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(GammaError::Range) };
    }
    let y = size + (G - 0.5);
    // What rounding took from y.
    let z = if size > G - 0.5 { (y - size) - (G - 0.5) } else { (y - (G - 0.5)) - size };
    let z = z * G / y;
    let (half, whole) = (y.powf(size / 2.0 - 0.25), y.powf(size - 0.5));
    if x < 0.0 {
        let mut r = -PI / sin_pi(size) / size * y.exp() / lanczos_sum(size);
        r -= z * r;
        return finite(if size < 140.0 { r / whole } else { r / half / half });
    }
    let mut r = lanczos_sum(size) / y.exp();
    r += z * r;
    finite(if size < 140.0 { r * whole } else { r * half * half })
}

/// The logarithm of the absolute value of gamma.
pub fn lgamma(x: f64) -> Result<f64, GammaError> {
    if x.is_nan() {
        return Ok(x);
    }
    if x.is_infinite() {
        return Ok(f64::INFINITY);
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(GammaError::Domain) } else { Ok(0.0) };
    }
    let size = x.abs();
    if size < 1e-20 {
        return Ok(-size.ln());
    }
    let mut r = lanczos_sum(size).ln() - G;
    r += (size - 0.5) * ((size + G - 0.5).ln() - 1.0);
    if x < 0.0 {
        r = PI.ln() - sin_pi(size).abs().ln() - size.ln() - r;
    }
    if r.is_infinite() { Err(GammaError::Range) } else { Ok(r) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_as_cpython_calculates_it() {
        let cases = [
            (0.5, 1.7724538509055159, 0.5723649429247004),
            (4.7, 15.431411600047436, 2.736405146315567),
            (-3.5, 0.27008820585226917, -1.3090066849930417),
            (10.0, 362880.0, 12.801827480081467),
            (23.0, 1.1240007277776077e+21, 48.47118135183522),
            (24.0, 2.585201673888497e+22, 51.60667556776438),
            (100.25, 2.9484662818387695e+156, 360.2845596377643),
            (141.7, 4.297739720709704e+242, 558.6836817427114),
            (171.5, 9.483367566824801e+307, 709.1431630309282),
            (-0.5, -3.544907701811032, 1.265512123484645),
            (-20.3, -6.435466204989326e-19, -41.887292480135244),
            (1e-05, 99999.42279422554, 11.512919692895824),
            (-150.5, -4.478447658150641e-264, -606.383188068925),
            (-180.25, -0.0, -758.055915669286),
            (1.0000001, 0.9999999422784431, -5.772155869943063e-08),
            (6.0, 120.0, 4.787491742782047),
            (5.999, 119.79545129224266, 4.7857857157805554),
            (0.001, 999.4237724845954, 6.907178885383854),
        ];
        for (x, g, l) in cases {
            assert_eq!((gamma(x), lgamma(x)), (Ok(g), Ok(l)), "{x}");
        }
        assert_eq!(gamma(-1.0), Err(GammaError::Domain));
        assert_eq!(gamma(172.0), Err(GammaError::Range));
        assert_eq!(lgamma(-2.0), Err(GammaError::Domain));
        assert_eq!(lgamma(1e306), Err(GammaError::Range));
    }
}
