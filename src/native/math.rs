//! The module `math`. Functions of ints are in `math_int`, sums in `math_sum`. Must not know operators.

use super::int::from_float;
use super::libm::{self, GammaError};
use super::num_args::{is_plain_number, plain_int, real};
use super::text_args::type_name;
use super::{math_int, math_sum};
use crate::object::bigint;
use crate::object::error::{Exc, R, Raised};
use crate::object::value::Value;
use crate::object::{float, int};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use dashu_int::ops::UnsignedAbs;

fn domain_error(th: &mut Thread) -> Raised {
    th.value_error("math domain error")
}

fn range_error(th: &mut Thread) -> Raised {
    th.raise(Exc::OverflowError, "math range error")
}

/// What becomes of an infinity that comes out of finite arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Infinite {
    /// There is a pole: math domain error.
    Pole,
    /// It has overflowed: math range error.
    Overflow,
    /// Nothing is wrong.
    Fine,
}

/// The function of one float, with Python's errors.
fn apply(th: &mut Thread, args: Args, f: fn(f64) -> f64, infinite: Infinite) -> R {
    let x = real(th, args.get(0))?;
    let y = f(x);
    if y.is_nan() && !x.is_nan() {
        return Err(domain_error(th));
    }
    if y.is_infinite() && x.is_finite() {
        match infinite {
            Infinite::Overflow => return Err(range_error(th)),
            Infinite::Pole => return Err(domain_error(th)),
            Infinite::Fine => {}
        }
    }
    th.new_float(y)
}

/// Natives out of functions of one float.
macro_rules! unary {
    ($($name:ident = $f:expr, $infinite:ident;)*) => { $(
        fn $name(th: &mut Thread, args: Args) -> R {
            apply(th, args, $f, Infinite::$infinite)
        }
    )* };
}

unary! {
    acos = f64::acos, Pole;
    acosh = libm::acosh, Pole;
    asin = f64::asin, Pole;
    asinh = libm::asinh, Pole;
    atan = f64::atan, Pole;
    atanh = libm::atanh, Pole;
    cbrt = libm::cbrt, Pole;
    cos = f64::cos, Pole;
    cosh = f64::cosh, Overflow;
    degrees = |x| x * (180.0 / std::f64::consts::PI), Fine;
    erf = libm::erf, Pole;
    erfc = libm::erfc, Pole;
    exp = f64::exp, Overflow;
    exp2 = f64::exp2, Overflow;
    expm1 = f64::exp_m1, Overflow;
    fabs = f64::abs, Pole;
    log1p = f64::ln_1p, Pole;
    radians = |x| x * (std::f64::consts::PI / 180.0), Pole;
    sin = f64::sin, Pole;
    sinh = f64::sinh, Overflow;
    sqrt = f64::sqrt, Pole;
    tan = f64::tan, Pole;
    tanh = f64::tanh, Pole;
}

fn of_gamma(th: &mut Thread, args: Args, f: fn(f64) -> Result<f64, GammaError>) -> R {
    let x = real(th, args.get(0))?;
    match f(x) {
        Ok(y) => th.new_float(y),
        Err(GammaError::Domain) => Err(domain_error(th)),
        Err(GammaError::Range) => Err(range_error(th)),
    }
}

fn gamma(th: &mut Thread, args: Args) -> R {
    of_gamma(th, args, libm::gamma)
}

fn lgamma(th: &mut Thread, args: Args) -> R {
    of_gamma(th, args, libm::lgamma)
}

/// The logarithm of any number, even of an int beyond all floats.
fn logarithm(th: &mut Thread, v: Value, f: fn(f64) -> f64) -> R<f64> {
    if int::is_int(v) {
        let n = int::big(th, v)?;
        if n <= bigint::IBig::ZERO {
            return Err(domain_error(th));
        }
        if let Some(x) = bigint::to_f64(&n) {
            return Ok(f(x));
        }
        let (top, below) = bigint::top_bits(&n.unsigned_abs());
        let (x, exponent) = frexp_of(top as f64);
        return Ok(f(x) + f(2.0) * (exponent as i64 + below) as f64);
    }
    let x = real(th, v)?;
    let y = f(x);
    if x <= 0.0 || (y.is_nan() && !x.is_nan()) { Err(domain_error(th)) } else { Ok(y) }
}

fn log(th: &mut Thread, args: Args) -> R {
    let above = logarithm(th, args.get(0), f64::ln)?;
    let Some(base) = args.opt(1) else { return th.new_float(above) };
    let below = logarithm(th, base, f64::ln)?;
    if below == 0.0 {
        return Err(th.raise(Exc::ZeroDivisionError, "float division by zero"));
    }
    th.new_float(above / below)
}

fn log2(th: &mut Thread, args: Args) -> R {
    let y = logarithm(th, args.get(0), f64::log2)?;
    th.new_float(y)
}

fn log10(th: &mut Thread, args: Args) -> R {
    let y = logarithm(th, args.get(0), f64::log10)?;
    th.new_float(y)
}

fn two(th: &mut Thread, args: Args) -> R<(f64, f64)> {
    let x = real(th, args.get(0))?;
    Ok((x, real(th, args.get(1))?))
}

fn atan2(th: &mut Thread, args: Args) -> R {
    let (y, x) = two(th, args)?;
    th.new_float(y.atan2(x))
}

fn copysign(th: &mut Thread, args: Args) -> R {
    let (x, y) = two(th, args)?;
    th.new_float(x.copysign(y))
}

fn nextafter(th: &mut Thread, args: Args) -> R {
    let (x, y) = two(th, args)?;
    th.new_float(libm::nextafter(x, y))
}

/// A function of two floats that is not a number only where it is not defined.
fn defined(th: &mut Thread, x: f64, y: f64, z: f64) -> R {
    if z.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error(th)) } else { th.new_float(z) }
}

fn fmod(th: &mut Thread, args: Args) -> R {
    let (x, y) = two(th, args)?;
    defined(th, x, y, x % y)
}

fn remainder(th: &mut Thread, args: Args) -> R {
    let (x, y) = two(th, args)?;
    defined(th, x, y, libm::remainder(x, y))
}

fn pow(th: &mut Thread, args: Args) -> R {
    let (x, y) = two(th, args)?;
    let z = x.powf(y);
    if z.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(if x == 0.0 { domain_error(th) } else { range_error(th) });
    }
    defined(th, x, y, z)
}

/// Mantissa in 0.5..1 and exponent.
fn frexp_of(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (mantissa, exponent) = bigint::decode(x);
    let bits = 64 - mantissa.unsigned_abs().leading_zeros() as i32;
    let m = mantissa as f64 / (1u64 << bits) as f64;
    (m, exponent + bits)
}

fn frexp(th: &mut Thread, args: Args) -> R {
    let x = real(th, args.get(0))?;
    let (m, e) = frexp_of(x);
    let m = th.new_float(m)?;
    th.new_tuple(&[m, Value::int_unchecked(e as i64)])
}

fn ldexp(th: &mut Thread, args: Args) -> R {
    let x = real(th, args.get(0))?;
    let i = args.get(1);
    if !int::is_int(i) {
        return Err(th.type_error("Expected an int as second argument to ldexp."));
    }
    if x == 0.0 || !x.is_finite() {
        return th.new_float(x);
    }
    const FAR: i64 = 1 << 20;
    let far = if int::is_negative(i) { -FAR } else { FAR };
    let i = int::as_i64(i).map_or(far, |i| i.clamp(-FAR, FAR));
    let (mantissa, exponent) = bigint::decode(x);
    match bigint::scale(mantissa.unsigned_abs(), exponent as i64 + i) {
        Some(f) => th.new_float(f.copysign(x)),
        None => Err(range_error(th)),
    }
}

fn modf(th: &mut Thread, args: Args) -> R {
    let x = real(th, args.get(0))?;
    let fraction = if x.is_infinite() { 0f64.copysign(x) } else { x % 1.0 };
    let (fraction, whole) = (th.new_float(fraction)?, th.new_float(x.trunc())?);
    th.new_tuple(&[fraction, whole])
}

fn ulp(th: &mut Thread, args: Args) -> R {
    let x = real(th, args.get(0))?.abs();
    let up = libm::nextafter(x, f64::INFINITY);
    th.new_float(match () {
        () if !x.is_finite() => x,
        () if up.is_infinite() => x - libm::nextafter(x, 0.0),
        () => up - x,
    })
}

fn isclose(th: &mut Thread, args: Args) -> R {
    let (a, b) = two(th, args)?;
    let relative = args.opt(2).map_or(Ok(1e-9), |v| real(th, v))?;
    let absolute = args.opt(3).map_or(Ok(0.0), |v| real(th, v))?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(th.value_error("tolerances must be non-negative"));
    }
    if a == b || a.is_infinite() || b.is_infinite() {
        return Ok(Value::bool(a == b));
    }
    let gap = (b - a).abs();
    Ok(Value::bool(gap <= (relative * b).abs() || gap <= (relative * a).abs() || gap <= absolute))
}

fn isfinite(th: &mut Thread, args: Args) -> R {
    real(th, args.get(0)).map(|x| Value::bool(x.is_finite()))
}

fn isinf(th: &mut Thread, args: Args) -> R {
    real(th, args.get(0)).map(|x| Value::bool(x.is_infinite()))
}

fn isnan(th: &mut Thread, args: Args) -> R {
    real(th, args.get(0)).map(|x| Value::bool(x.is_nan()))
}

/// `floor`, `ceil` and `trunc`: of plain numbers at once, of others by their method.
fn to_int(th: &mut Thread, v: Value, method: &'static str, rounded: fn(f64) -> f64) -> R<Option<Value>> {
    if is_plain_number(v) {
        return match float::as_f64(v) {
            Some(f) => from_float(th, f, rounded).map(Some),
            None => plain_int(th, v).map(Some),
        };
    }
    match th.lookup_special(v, method) {
        Some(method) => th.call(method, &[v]).map(Some),
        None => Ok(None),
    }
}

fn floor(th: &mut Thread, args: Args) -> R {
    round_by(th, args.get(0), "__floor__", f64::floor)
}

fn ceil(th: &mut Thread, args: Args) -> R {
    round_by(th, args.get(0), "__ceil__", f64::ceil)
}

fn round_by(th: &mut Thread, v: Value, method: &'static str, rounded: fn(f64) -> f64) -> R {
    if let Some(made) = to_int(th, v, method, rounded)? {
        return Ok(made);
    }
    let f = real(th, v)?;
    from_float(th, f, rounded)
}

fn trunc(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    match to_int(th, v, "__trunc__", f64::trunc)? {
        Some(made) => Ok(made),
        None => {
            let name = type_name(v);
            Err(th.type_error(format!("type {name} doesn't define __trunc__ method")))
        }
    }
}

fn constants(th: &mut Thread, module: Value) -> R<()> {
    let constants = [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ];
    for (name, value) in constants {
        let (name, value) = (th.intern(name)?, th.new_float(value)?);
        th.set_attr(module, name, value)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "math",
    doc: "Functions of real numbers and of integers.",
    functions: &[
        NativeDef::full("acos", "x, /", acos, "Arc cosine, in radians."),
        NativeDef::full("acosh", "x, /", acosh, "Inverse hyperbolic cosine."),
        NativeDef::full("asin", "x, /", asin, "Arc sine, in radians."),
        NativeDef::full("asinh", "x, /", asinh, "Inverse hyperbolic sine."),
        NativeDef::full("atan", "x, /", atan, "Arc tangent, in radians."),
        NativeDef::full("atan2", "y, x, /", atan2, "Angle of the point (x, y), in radians."),
        NativeDef::full("atanh", "x, /", atanh, "Inverse hyperbolic tangent."),
        NativeDef::full("cbrt", "x, /", cbrt, "Cube root."),
        NativeDef::full("ceil", "x, /", ceil, "The smallest int that is not smaller."),
        NativeDef::full("comb", "n, k, /", math_int::comb, "Ways to choose k of n things, in any order."),
        NativeDef::full("copysign", "x, y, /", copysign, "x with the sign of y."),
        NativeDef::full("cos", "x, /", cos, "Cosine of an angle in radians."),
        NativeDef::full("cosh", "x, /", cosh, "Hyperbolic cosine."),
        NativeDef::full("degrees", "x, /", degrees, "Radians as degrees."),
        NativeDef::full("dist", "p, q, /", math_sum::dist, "Distance of two points."),
        NativeDef::full("erf", "x, /", erf, "Error function."),
        NativeDef::full("erfc", "x, /", erfc, "1 - erf(x)."),
        NativeDef::full("exp", "x, /", exp, "e ** x."),
        NativeDef::full("exp2", "x, /", exp2, "2 ** x."),
        NativeDef::full("expm1", "x, /", expm1, "e ** x - 1, exact for small x."),
        NativeDef::full("fabs", "x, /", fabs, "The absolute value, as a float."),
        NativeDef::full("factorial", "n, /", math_int::factorial, "The product of 1 to n."),
        NativeDef::full("floor", "x, /", floor, "The largest int that is not larger."),
        NativeDef::full("fmod", "x, y, /", fmod, "The remainder with the sign of x."),
        NativeDef::full("frexp", "x, /", frexp, "Mantissa and exponent: x == m * 2**e."),
        NativeDef::full("fsum", "seq, /", math_sum::fsum, "The sum, rounded once."),
        NativeDef::full("gamma", "x, /", gamma, "Gamma function."),
        NativeDef::full("gcd", "*integers", math_int::gcd, "Greatest common divisor."),
        NativeDef::full("hypot", "*coordinates", math_sum::hypot, "Distance from the origin."),
        NativeDef::full(
            "isclose",
            "a, b, *, rel_tol=, abs_tol=",
            isclose,
            "Whether two numbers differ by no more than a tolerance.",
        ),
        NativeDef::full("isfinite", "x, /", isfinite, "Whether it is neither infinite nor NaN."),
        NativeDef::full("isinf", "x, /", isinf, "Whether it is infinite."),
        NativeDef::full("isnan", "x, /", isnan, "Whether it is not a number."),
        NativeDef::full("isqrt", "n, /", math_int::isqrt, "The square root, rounded down."),
        NativeDef::full("lcm", "*integers", math_int::lcm, "Least common multiple."),
        NativeDef::full("ldexp", "x, i, /", ldexp, "x * 2**i."),
        NativeDef::full("lgamma", "x, /", lgamma, "Logarithm of the absolute value of gamma."),
        NativeDef::full("log", "x, base=, /", log, "Logarithm, the natural one without a base."),
        NativeDef::full("log10", "x, /", log10, "Logarithm to base 10."),
        NativeDef::full("log1p", "x, /", log1p, "Natural logarithm of 1 + x, exact for small x."),
        NativeDef::full("log2", "x, /", log2, "Logarithm to base 2."),
        NativeDef::full("modf", "x, /", modf, "Fraction and whole part, as floats."),
        NativeDef::full("nextafter", "x, y, /", nextafter, "The float next to x in the direction of y."),
        NativeDef::full("perm", "n, k=, /", math_int::perm, "Ways to choose k of n things, in order."),
        NativeDef::full("pow", "x, y, /", pow, "x ** y, as floats."),
        NativeDef::full("prod", "iterable, /, *, start=", math_sum::prod, "The product of all items."),
        NativeDef::full("radians", "x, /", radians, "Degrees as radians."),
        NativeDef::full("remainder", "x, y, /", remainder, "x - n*y, n being the int nearest to x/y."),
        NativeDef::full("sin", "x, /", sin, "Sine of an angle in radians."),
        NativeDef::full("sinh", "x, /", sinh, "Hyperbolic sine."),
        NativeDef::full("sqrt", "x, /", sqrt, "Square root."),
        NativeDef::full("tan", "x, /", tan, "Tangent of an angle in radians."),
        NativeDef::full("tanh", "x, /", tanh, "Hyperbolic tangent."),
        NativeDef::full("trunc", "x, /", trunc, "The int without the fraction."),
        NativeDef::full("ulp", "x, /", ulp, "The value of the last bit of x."),
    ],
    types: &[],
    init: Some(constants),
};
