use super::*;

fn turns(runs: &str) -> Option<usize> {
    let kind = Kind {
        runs: Run::all_of(runs),
        ..Kind::default()
    };
    kind.turns()
}

#[test]
fn what_was_slow_at_the_same_time_was_slow_once() {
    // One after the other, in any order.
    assert_eq!(turns("4000-5500,0-1200,1200-2400.5,2500-3900"), Some(4));
    assert_eq!(turns("0-1200,1190-2400,2399-3600"), Some(3));
    // A machine that stands still: all begin and end about then.
    assert_eq!(turns("100-2200,150-2150,900-2210,1100-2190"), Some(1));
    // Two such moments, and one that lasted over both.
    assert_eq!(turns("0-1000,10-1010,5000-6000,5010-6100,0-7000"), Some(2));
    // What the server has cut off is left out; without times nothing is known.
    assert_eq!(turns("0-1000,1000-2000,20"), Some(2));
    assert_eq!((turns(""), turns("20")), (None, None));
}
