use super::template;

#[test]
fn changing_parts_become_a_star() {
    for (name, kind) in [
        ("user:4711:cart", "user:*:cart"),
        ("session-0f9a-77b2", "session-*"),
        ("cache:550e8400-e29b-41d4-a716-446655440000", "cache:*"),
        ("mail:ming@example.com", "mail:*.com"),
        ("{shop}:total", "{shop}:total"),
        ("plain", "plain"),
        ("商品:1", "*:*"),
        ("", ""),
    ] {
        assert_eq!(template(name), kind, "{name}");
    }
}
