// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// Literals of plain types, and texts for the functions that read them.
var literals = map[string][]string{
	"bool": {"true", "false"},
	"int": {
		"0", "1", "2", "-1", "3", "7", "-7", "64", "1000", "9223372036854775807",
		"-9223372036854775808", "9007199254740993", "4294967296", "0x10", "-0x1F",
	},
	"uint": {"0u", "1u", "2u", "7u", "0xFFu", "18446744073709551615u", "9223372036854775808u", "9007199254740993u"},
	"double": {
		"0.0", "-0.0", "1.0", "1.5", "-2.5", "0.1", "1e3", "1e21", "1e-7", "123456789.125", "1e308", "-1e308",
		"5e-324", "9007199254740992.0", "9223372036854775807.0", "-9223372036854775808.0",
		"18446744073709551615.0", "(0.0/0.0)", "(1.0/0.0)", "(-1.0/0.0)", "2.5", "0.5", "-0.5", ".5",
	},
	"string": {
		"''", "'a'", "'b'", "'ab'", "'abcabc'", "'été'", "'世界'", "'😀x'", "' a '", "'\\n'", "\"\\\"\"",
		"'A.b-c'", "'1'", "'a,b,c'", "'e\\u0301'", "r'\\d'", "'\\u00a0x\\u2003'", "'\\x00'", "'true'", "'ÀÉ'",
		"\"\"\"a\nb\"\"\"", "'\\U0001F600'", "'%'", "'1h'",
	},
	"bytes": {"b''", "b'a'", "b'\\xff'", "b'\\x00\\x01'", "b'é'", "b'abc'", "b'\\303\\251'", "b\"\"\"x\"\"\""},
	"timestamp": {
		"timestamp('1970-01-01T00:00:00Z')", "timestamp('2024-02-29T23:59:59.999999999Z')",
		"timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999999999Z')",
		"timestamp('1969-12-31T23:59:59.5Z')", "timestamp(1700000000)", "timestamp('2000-01-01T12:00:00+01:30')",
	},
	"duration": {
		"duration('0s')", "duration('1s')", "duration('-1.5s')", "duration('90m')", "duration('1ns')",
		"duration('2562047h47m16.854775807s')", "duration('-2562047h47m16.854775808s')", "duration('24h')",
	},
	"null_type": {"null"},
	"type": {
		"int", "uint", "string", "bool", "list", "map", "null_type", "type", "double", "bytes",
		"google.protobuf.Timestamp", "google.protobuf.Duration", "type(1)", "type(type)",
	},
	"#truth": {"'true'", "'false'", "'True'", "'TRUE'", "'t'", "'0'", "'1'", "'yes'", "'tRUE'", "''", "'F'"},
	"#digits": {
		"'0'", "'-1'", "'12'", "'9223372036854775807'", "'9223372036854775808'", "'-9223372036854775808'",
		"'18446744073709551615'", "'18446744073709551616'", "''", "' 1'", "'0x1F'", "'1_000'", "'1e3'", "'1.5'",
		"'inf'", "'-inf'", "'nan'", "'Infinity'", "'NaN'", "'+1'", "'007'", "'1e400'", "'0x1p4'", "'.5'", "'5.'",
		"'-'", "'1e-400'", "'١'", "'-0'", "'+inf'", "'1e'",
	},
	"#number": {"0", "1", "0u", "1u", "0.0", "1.0", "0.5", "-1", "2u", "1e20", "'0'", "true"},
	"#index":  {"0", "1", "2", "-1", "3", "5", "9", "63", "64", "-9223372036854775808", "9223372036854775807"},
	"#pattern": {
		"'a'", "'^a+$'", "'[a-c]*'", "'(a|b)c'", "'^$'", "'.'", "'^.$'", "'\\\\d+'", "'(?i)AB'", "'['", "'(?P<n>a)'",
		"'a{2,3}'", "'x*'", "'\\\\bA'", "'^\\\\s'", "'[[:alpha:]]'", "'世'", "'a**'", "'\\\\pL'", "'(?s).'", "'\\\\1'",
	},
	"#zone": {
		"'UTC'", "''", "'+01:00'", "'-02:30'", "'02:00'", "'+14:00'", "'-23:59'", "'x'", "'+1'", "'Z'", "'00:00'",
		"'+24:00'", "'-00:30'", "'+01:60'", "'1:00'", "'+1:0'", "'+99:99'",
	},
	"#format1": {
		"'%s'", "'%d'", "'%f'", "'%e'", "'%b'", "'%o'", "'%x'", "'%X'", "'%.0f'", "'%.3f'", "'%.2e'", "'a%%%s'", "'%q'",
		"'%'", "'x'", "'%.1d'", "'é%s世'", "'%.10f'", "'%.s'",
	},
	"#format2": {"'%s %s'", "'%d-%s'", "'%f%x'", "'%s'", "'%b %s %s'", "'%.1f|%s'"},
	"#base64":  {"''", "'Zg=='", "'Zg'", "'Zm9v'", "'Zm9vYg=='", "'Z'", "'Zg='", "'Z g=='", "'_-8='", "'/+8='", "'Zh=='", "'Zm9v\\n'", "'===='"},
	"#moment": {
		"'2009-02-13T23:31:30Z'", "'2009-02-13T23:31:30.5+01:00'", "'2009-02-13t23:31:30z'", "'2009-02-13 23:31:30Z'",
		"'2009-02-13T23:31:30'", "'2009-13-01T00:00:00Z'", "'2009-02-29T00:00:00Z'", "'2000-02-29T24:00:00Z'",
		"'2009-02-13T23:59:60Z'", "'0000-01-01T00:00:00Z'", "'9999-12-31T23:59:59.9999999999Z'",
		"'10000-01-01T00:00:00Z'", "'2009-02-13T23:31:30,5Z'", "'2009-02-13T23:31:30.Z'", "'1-01-01T00:00:00Z'",
		"'0001-01-01T00:30:00+01:00'", "'2009-02-13T23:31:30+24:00'", "'2009-02-13T3:31:30Z'", "''",
		"'9999-12-31T23:59:59-01:00'", "'2009-02-13T23:31:30+01:60'",
	},
	"#span": {
		"'1h30m'", "'-1.5s'", "'10ms'", "'0'", "'5'", "'1us'", "'1µs'", "'3ns'", "'1.5h'", "''", "'s'", "'+1s'", "'1s1h'",
		"'2562048h'", "'-2562047h47m16.854775808s'", "'.5s'", "'1.s'", "'1d'", "' 1s'", "'1e3s'", "'0.0000000001s'",
		"'-0'", "'1h 1m'", "'9223372036854775808ns'", "'-9223372036854775808ns'",
	},
}

func (g *generator) literal(t *typ) string {
	switch t.name {
	case "list":
		return "[" + g.several(func() string { return g.literal(t.of[0]) }) + "]"
	case "map":
		keys := map[string]bool{}
		return "{" + g.several(func() string {
			key := g.key(t.of[0])
			if keys[key] {
				return ""
			}
			keys[key] = true
			return key + ": " + g.literal(t.of[1])
		}) + "}"
	case "optional":
		if g.r.Intn(3) == 0 {
			return "optional.none()"
		}
		return "optional.of(" + g.literal(t.of[0]) + ")"
	case "dyn":
		return "dyn(" + g.literal(g.anyType(1)) + ")"
	}
	text := pick(g, literals[t.name])
	if g.isLarge && (t.name == "string" || t.name == "bytes") {
		return text + strings.Repeat(" + "+text, g.r.Intn(24))
	}
	return text
}

// Keys that expressions name are often there.
func (g *generator) key(t *typ) string {
	if t.name == "string" {
		return pick(g, []string{"'a'", "'b'", "'a'", "'été'", "''"})
	}
	return g.literal(t)
}

func (g *generator) several(one func() string) string {
	var parts []string
	most := 3
	if g.isLarge {
		most = 12
	}
	for n := g.r.Intn(most + 1); n > 0; n-- {
		if part := one(); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}
