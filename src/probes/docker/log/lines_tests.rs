use super::Lines;

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    [&[1, 0, 0, 0][..], &length.to_be_bytes(), payload].concat()
}

fn read(data: &[u8], step: usize, most: usize) -> (Vec<String>, Lines) {
    let mut lines = Lines::new(most, 256 * 1024);
    for piece in data.chunks(step) {
        lines.take(piece);
    }
    lines.close();
    (lines.iter().map(super::Line::text).collect(), lines)
}

const STAMP: &str = "2026-11-22T20:15:00.123456789Z ";

#[test]
fn frames_are_lines_wherever_the_pieces_end() {
    let one = frame(format!("{STAMP}first line\n").as_bytes());
    let two = frame(format!("{STAMP}second\n").as_bytes());
    let data = [one, two].concat();
    for step in 1..data.len() {
        let (texts, lines) = read(&data, step, 10);
        assert_eq!(texts, ["first line", "second"], "in pieces of {step}");
        assert!(lines.iter().all(|line| line.at.is_some()) && !lines.truncated && !lines.binary);
    }
}

#[test]
fn a_line_in_parts_is_one_line() {
    let parts = ["one ", "two ", "three\n"].map(|part| frame(format!("{STAMP}{part}").as_bytes()));
    assert_eq!(read(&parts.concat(), 7, 10).0, ["one two three"]);
}

#[test]
fn a_terminal_has_no_frames_and_its_last_line_may_have_no_end() {
    let data = format!("{STAMP}first\r\n{STAMP}second");
    let (texts, lines) = read(data.as_bytes(), 5, 10);
    assert_eq!(texts, ["first\r", "second"]);
    assert!(lines.iter().all(|line| line.at.is_some()));
}

#[test]
fn the_newest_lines_are_kept_and_long_ones_cut() {
    let long = "x".repeat(100_000);
    let data: Vec<u8> = (0..9)
        .flat_map(|n| frame(format!("{STAMP}{n} {long}\n").as_bytes()))
        .collect();
    let (texts, lines) = read(&data, 1_000, 3);
    assert_eq!(texts.len(), 3);
    assert!(texts[2].starts_with("8 ") && texts[2].len() == super::LINE_BYTES);
    assert!(lines.truncated && !lines.binary);
}

#[test]
fn rubbish_is_survived() {
    for seed in 0_u32..50 {
        let data: Vec<u8> = (0_u32..5_000)
            .map(|n| u8::try_from((n.wrapping_mul(2_654_435_761) ^ seed) >> 7 & 0xff).unwrap_or(0))
            .collect();
        read(&data, 97, 10);
    }
    assert!(
        read(&frame(b"2026-11-22T20:15:00Z \xff\xfe\n"), 3, 10)
            .1
            .binary
    );
    assert!(read(&[], 1, 10).0.is_empty());
}
