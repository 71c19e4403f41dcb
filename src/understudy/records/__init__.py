"""The nouns: frozen records, validated at construction, without behaviour; nothing here touches the world."""
