//! How numbers are written, and round numbers for axes.

/// What stands for a number that is not there.
pub(crate) const MISSING: &str = "–";

/// The value with a fixed number of decimals, without a minus before zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    let text = format!("{value:.decimals$}");
    let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
}

/// The value with three significant digits.
pub(crate) fn significant(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    if size > 0.0 && !(1e-3..1e5).contains(&size) {
        return power_of_ten(value);
    }
    let digits_before = if size >= 1.0 { size.log10().floor() as usize + 1 } else { 0 };
    fixed(value, if digits_before == 0 { 3 } else { 3_usize.saturating_sub(digits_before) })
}

fn power_of_ten(value: f64) -> String {
    let text = format!("{value:.1e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa).replace('-', "−");
    if mantissa == "1" {
        return format!("10{}", raised(exponent));
    }
    format!("{mantissa}·10{}", raised(exponent))
}

fn raised(exponent: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    exponent.chars().map(raise).collect()
}

/// A count with thousands apart.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join("\u{202f}")
}

/// A share as a percentage with one decimal.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{} %", fixed(100.0 * share, 1)) } else { MISSING.to_owned() }
}

/// Time in the unit that suits it.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => MISSING.to_owned(),
        s if s < 120.0 => format!("{} s", fixed(s, 1)),
        s if s < 7200.0 => format!("{} min", fixed(s / 60.0, 1)),
        s => format!("{} h", fixed(s / 3600.0, 1)),
    }
}

/// Round numbers within `[low, high]`, about `wanted` of them, and the decimals that tell them
/// apart.
pub(crate) fn ticks(low: f64, high: f64, wanted: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return (vec![low], 2);
    }
    let rough = span / wanted.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    ((first..=last).map(|n| n as f64 * step).collect(), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_matters() {
        assert_eq!(fixed(0.99961, 3), "1.000");
        assert_eq!(fixed(-0.0001, 2), "0.00");
        assert_eq!(fixed(-1.25, 1), "−1.2");
        assert_eq!(fixed(f64::NAN, 2), MISSING);
        assert_eq!(significant(0.0123), "0.012");
        assert_eq!(significant(12.34), "12.3");
        assert_eq!(significant(1234.0), "1234");
        assert_eq!(significant(0.00031), "3.1·10⁻⁴");
        assert_eq!(significant(1e-4), "10⁻⁴");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(12), "12");
        assert_eq!(percent(0.1234), "12.3 %");
        assert_eq!(duration(90.0), "90.0 s");
        assert_eq!(duration(5400.0), "90.0 min");
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.0, 4), (vec![0.0, 0.5, 1.0], 1));
        assert_eq!(ticks(-3.1, 2.9, 3), (vec![-2.0, 0.0, 2.0], 0));
        assert_eq!(ticks(0.0, 4500.0, 4).0, [0.0, 2000.0, 4000.0]);
        assert_eq!(ticks(2.0, 2.0, 4).0, [2.0]);
    }
}
