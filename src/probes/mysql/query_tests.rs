use super::*;

#[test]
fn binary_values_are_read() {
    assert_eq!(whole(&[0xff], false), -1);
    assert_eq!(whole(&[0xff], true), 255);
    assert_eq!(whole(&[0xfe, 0xff], false), -2);
    assert_eq!(whole(&[0xff; 8], true), i64::MAX);
    assert_eq!(
        moment(&[7, 0xea, 7, 11, 22, 3, 4, 5]),
        "2026-11-22 03:04:05"
    );
    assert_eq!(moment(&[4, 0xea, 7, 11, 22]), "2026-11-22");
    assert_eq!(span(&[8, 1, 1, 0, 0, 0, 2, 3, 4]), "-26:03:04");
    assert_eq!(span(&[0]), "00:00:00");
}

#[test]
fn values_become_what_the_page_says() {
    let decimal = Cell::Text("12.50".to_owned());
    assert_eq!(decimal.as_fact(FactType::Int), Some(Value::Int(12)));
    assert_eq!(decimal.as_fact(FactType::Float), Some(Value::Float(12.5)));
    assert_eq!(
        Cell::Int(0).as_fact(FactType::Bool),
        Some(Value::Bool(false))
    );
    assert_eq!(Cell::Null.as_fact(FactType::Int), Some(Value::None));
    assert_eq!(Cell::Text("paid".to_owned()).as_fact(FactType::Int), None);
}
