//! Our loader against rcl's own parser, over every shipped and every broken file, scalars, keys,
//! command lines and thousands of damaged files.
//!
//! Property: what our loader accepts, rcl accepts with the same sections, keys and values, to the
//! last bit. What it does not accept, it refuses by name. It never reads another value.

mod support;

use std::fs;
use std::path::PathBuf;

use interlock::config::args::Arguments;
use interlock::config::differences;
use interlock::config::load::flat_map;
use interlock::config::problem::Place;
use interlock::config::section::{self, Section};
use interlock::config::value::{FlatMap, Value};
use interlock::config::yaml::{self, Item, Node};
use interlock::ros::rcl::{
    Context, RclValue, parameter_overrides, parse_param_value, parse_params_file,
};

/// Sections in order, each with its keys in any order.
type Sections = Vec<(String, Vec<(String, Value)>)>;

fn ours(text: &str) -> Result<Sections, String> {
    let tree = yaml::parse(text, 0, "FILE").map_err(|problems| problems.to_string())?;
    let sections = section::sections(tree, 0, "FILE").map_err(|problems| problems.to_string())?;
    Ok(sections.iter().map(flatten).collect())
}

fn flatten(section: &Section) -> (String, Vec<(String, Value)>) {
    fn walk(prefix: &str, items: &[Item], into: &mut Vec<(String, Value)>) {
        for item in items {
            let key = format!("{prefix}{}", item.key);
            match &item.node {
                Node::Leaf(entry) => into.push((key, entry.value.clone())),
                Node::Map(items) => walk(&format!("{key}."), items, into),
            }
        }
    }
    let mut values = Vec::new();
    walk("", &section.items, &mut values);
    values.sort_by(|a, b| a.0.cmp(&b.0));
    (section.name.clone(), values)
}

fn value(value: RclValue) -> Value {
    match value {
        RclValue::Bool(v) => Value::Bool(v),
        RclValue::Int(v) => Value::Int(v),
        RclValue::Double(v) => Value::Double(v),
        RclValue::String(v) => Value::String(v),
        RclValue::BoolArray(v) => Value::BoolArray(v),
        RclValue::IntArray(v) => Value::IntArray(v),
        RclValue::DoubleArray(v) => Value::DoubleArray(v),
        RclValue::StringArray(v) => Value::StringArray(v),
        RclValue::ByteArray(v) => panic!("rcl's parser makes no byte arrays: {v:?}"),
    }
}

/// rcl's parser over the same text.
struct Rcl {
    path: PathBuf,
}

impl Rcl {
    fn new(name: &str) -> Self {
        let file = format!("interlock-differential-{name}-{}.yaml", std::process::id());
        Self { path: std::env::temp_dir().join(file) }
    }

    fn parse(&self, text: &str) -> Result<Sections, String> {
        fs::write(&self.path, text).unwrap();
        let file = parse_params_file(&self.path).map_err(|error| error.to_string())?;
        Ok(file
            .nodes
            .into_iter()
            .map(|node| {
                let mut values: Vec<(String, Value)> =
                    node.values.into_iter().map(|(key, one)| (key, value(one))).collect();
                values.sort_by(|a, b| a.0.cmp(&b.0));
                (node.pattern, values)
            })
            .collect())
    }
}

impl Drop for Rcl {
    fn drop(&mut self) {
        // Left behind only where it was never written.
        let _removed = fs::remove_file(&self.path);
    }
}

fn is_same(a: &Sections, b: &Sections) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((name_a, values_a), (name_b, values_b))| {
            name_a == name_b
                && values_a.len() == values_b.len()
                && values_a
                    .iter()
                    .zip(values_b)
                    .all(|((key_a, a), (key_b, b))| key_a == key_b && a.same(b))
        })
}

/// How often both agreed, and how often ours refused.
#[derive(Default)]
struct Count {
    agreed: usize,
    refused: usize,
    /// Refused by ours, read by rcl: allowed, but worth knowing.
    stricter: usize,
    wrong: Vec<String>,
}

impl Count {
    fn look(&mut self, rcl: &Rcl, text: &str) {
        match ours(text) {
            Err(refusal) => {
                assert!(refusal.contains("not started"), "a refusal says why: {refusal}");
                self.refused += 1;
                self.stricter += usize::from(rcl.parse(text).is_ok());
            }
            Ok(ours) => match rcl.parse(text) {
                Ok(theirs) if is_same(&ours, &theirs) => self.agreed += 1,
                theirs => {
                    self.wrong.push(format!("{text:?}\n  ours {ours:?}\n  rcl  {theirs:?}"));
                }
            },
        }
    }

    fn end(self, what: &str, least_agreed: usize) {
        println!(
            "{what}: {} agreed, {} refused ({} of them read by rcl)",
            self.agreed, self.refused, self.stricter
        );
        let shown: Vec<&str> = self.wrong.iter().take(20).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{} differ:\n{}", self.wrong.len(), shown.join("\n"));
        assert!(self.agreed >= least_agreed, "the test compared something: {}", self.agreed);
    }
}

fn yaml_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["config", "test/config/broken"]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn hazard_58_params_misread_in_files() {
    let rcl = Rcl::new("files");
    let mut count = Count::default();
    for path in yaml_files() {
        count.look(&rcl, &fs::read_to_string(path).unwrap());
    }
    count.end("files", 60);
}

/// Texts of scalars that some reader somewhere takes for something else.
const SCALARS: &[&str] = &[
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "010",
    "-010",
    "+010",
    "08",
    "09.5",
    "0.5",
    "00.5",
    "00",
    "-0",
    "0x10",
    "-0x10",
    "0X1f",
    "0xg",
    "0x",
    "0x1p3",
    "0x.8",
    "0xFFFFFFFFFFFFFFFF",
    "0x7FFFFFFFFFFFFFFF",
    "0b101",
    "0B1",
    "0b2",
    "0b",
    "0o17",
    "0O7",
    "1_000",
    "1,000",
    "1e3",
    "1E3",
    "1e-3",
    "1.e3",
    "1.0e+3",
    ".5",
    "5.",
    ".",
    "..",
    "-.5",
    "+.5",
    "-",
    "+",
    "--1",
    "+-1",
    "1e",
    "1e+",
    "e1",
    "1e1.5",
    "1e308",
    "1e309",
    "-1e309",
    "1e-307",
    "1e-308",
    "1e-320",
    "0e-400",
    "0.0e999",
    "1e999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "0777777777777777777777",
    "01777777777777777777777",
    "3.14",
    "3.14.15",
    ".inf",
    ".Inf",
    ".INF",
    "+.inf",
    "-.inf",
    "-.INF",
    ".iNf",
    "inf",
    "Inf",
    "INF",
    "-inf",
    "+inf",
    "infinity",
    "Infinity",
    "-Infinity",
    "infinit",
    ".nan",
    ".NaN",
    ".NAN",
    ".Nan",
    "-.nan",
    "nan",
    "NaN",
    "-nan",
    "+NAN",
    "nan(1)",
    "nan(ab_2)",
    "nan(",
    "nan()",
    "nan(-)",
    "nanx",
    "true",
    "True",
    "TRUE",
    "tRUE",
    "false",
    "False",
    "FALSE",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "NO",
    "y",
    "Y",
    "n",
    "N",
    "on",
    "On",
    "ON",
    "oN",
    "off",
    "Off",
    "OFF",
    "~",
    "null",
    "Null",
    "NULL",
    "none",
    "None",
    "12:30:45",
    "1:30",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "a",
    "a b",
    "a  b",
    "a #b",
    "a#b",
    "#b",
    "é",
    "日本",
    "a:b",
    "a: b",
    "a :b",
    ":a",
    "?a",
    "? a",
    "-a",
    "- a",
    "@a",
    "`a",
    "%a",
    "&a",
    "&a b",
    "*a",
    "!a",
    "!!str 5",
    "!!str",
    "!!int 5",
    "!!int a",
    "!!float 1",
    "!!bool yes",
    "!!str true",
    "!!null x",
    "!local 5",
    "!<tag:yaml.org,2002:str> 5",
    "!<x> 5",
    "'5'",
    "\"5\"",
    "''",
    "\"\"",
    "'it''s'",
    "\"a\\tb\"",
    "\"a\\nb\"",
    "\"\\x41\"",
    "\"\\u00e9\"",
    "\"\\0\"",
    "\"\\/\"",
    "\"\\'\"",
    "\"\\e\"",
    "\"\\N\"",
    "\"\\L\"",
    "\"\\q\"",
    "\"a\\ b\"",
    "\" a \"",
    "' a '",
    "'a' b",
    "\"a\"b",
    "[",
    "]",
    "{",
    "}",
    ",",
    "a,b",
    "a, b",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[a]",
    "[1]",
    "[1, 2]",
    "[1,2]",
    "[1, 2.5]",
    "[0, 1.5]",
    "[1.0, 2.5]",
    "[true, false]",
    "[yes, no]",
    "[true, 1]",
    "[a, 1]",
    "[a, b]",
    "['1', b]",
    "[\"1\", '2']",
    "[1, 2,]",
    "[1,,2]",
    "[,1]",
    "[~]",
    "[null, a]",
    "[[1], [2]]",
    "[[1]]",
    "[{a: 1}]",
    "[a: 1]",
    "[a, [b]]",
    "[010, 1]",
    "[1e3, 2]",
    "[.nan, 1.0]",
    "[!!str 1, a]",
    "[*a]",
    "[&a 1]",
    "[1, 2",
    "1, 2]",
    "{a: 1}",
    "{a: 1, b: 2}",
    "{a: {b: 1}}",
    "{a: }",
    "{a}",
    "{a, b}",
    "{a: 1, a: 2}",
    "{'a': 1}",
    "{\"a\":1}",
    "{\"a\" :1}",
    "{a:1}",
    "{a: [1, 2]}",
    "{a.b: 1}",
    "{a.b: {c: 1}, d: 2}",
    "{? a : 1}",
    "{? [a] : 1}",
    "{<<: 1}",
    "|",
    "|\n      5",
    "|-\n      5",
    ">-\n      5",
    "|-\n      yes",
    "|2-\n        5",
    "|+\n      a\n\n",
    ">\n      a\n      b",
    "\n      a",
    "a\n      b",
    "a\n\n      b",
    "'a\n      b'",
    "\"a\n      b\"",
    "\"a\\\n      b\"",
    "5 # five",
    "5# five",
    "a # b",
    "- 1\n    - 2",
    "\n      - 1\n      - 2",
    "\n      - a\n      - 2",
    "\n    - 1\n    - 2",
    "\n      - a: 1",
    "\n      - - 1",
    "\n      -\n      - 1",
    "\n      b: 1",
    "\n      b: 1\n      c: 2",
    "\n      b.c: 1\n      d: 2",
    "\n      b.c:\n        e: 1\n      d: 2",
    "\n      b:\n        c:\n          d: 1\n      e: 2",
    "\n      ? b\n      : 1",
    "\n      'b': 1",
    "\n      \"b\": 1",
    "\n      b : 1",
    "\n      b:1",
    "\n      b: {}\n      c: 1",
    "\n      b: []\n      c: 1",
    "=",
    "<<",
    "\u{a0}5",
    "5\u{a0}",
    "\t5",
    "5\t",
    "\u{feff}5",
    "5\r",
    "\u{85}",
    "\u{2028}a",
    "a\u{7f}",
    "\u{1}",
    "\u{10ffff}",
    "\u{ffff}",
    "\u{e000}",
];

#[test]
fn hazard_58_params_misread_in_scalars() {
    let rcl = Rcl::new("scalars");
    let mut count = Count::default();
    for scalar in SCALARS {
        count.look(&rcl, &format!("n:\n  ros__parameters:\n    x: {scalar}\n    z: 1\n"));
        count.look(&rcl, &format!("n:\n  ros__parameters:\n    x: {scalar}\n"));
        count.look(&rcl, &format!("n:\n  ros__parameters:\n    x: {scalar}"));
        count.look(&rcl, &format!("n: {{ros__parameters: {{x: {scalar}, z: 1}}}}\n"));
        count.look(&rcl, &format!("n: {{ros__parameters: {{m: {{x: {scalar}}}, z: 1}}}}\n"));
        count.look(&rcl, &format!("n:\n  ros__parameters:\n    x: [{scalar}, {scalar}]\n"));
        count.look(&rcl, &format!("n:\n  ros__parameters:\n    x:\n    - {scalar}\n    z: a\n"));
        count.look(
            &rcl,
            &format!("n:\n  ros__parameters:\n    m:\n      {scalar}: 1\n      z: 1\n    y: 2\n"),
        );
        count.look(
            &rcl,
            &format!("n:\n  ros__parameters:\n    {scalar}:\n      a: 1\n      z: 1\n    y: 2\n"),
        );
        count.look(&rcl, &format!("n: {{ros__parameters: {{m: {{{scalar}: 1}}, z: 1}}}}\n"));
        count.look(
            &rcl,
            &format!("{scalar}:\n  ros__parameters:\n    x: 1\nn:\n  ros__parameters: {{y: 2}}\n"),
        );
        count.look(&rcl, &format!("{scalar}\n"));
    }
    count.end("scalars", 1000);
}

#[test]
fn hazard_58_params_misread_in_section_names() {
    let rcl = Rcl::new("sections");
    let mut count = Count::default();
    let names = [
        "/**",
        "/*",
        "**",
        "*",
        "n",
        "/n",
        "/ns/n",
        "ns/n",
        "/ns/**",
        "/**/n",
        "/*/n",
        "/*/*/n",
        "/a/*/n",
        "a*",
        "/a*/n",
        "/***",
        "/",
        "//n",
        "/n/",
        "n/",
        "",
        "1n",
        "/1/n",
        "a-b",
        "a.b",
        "a b",
        "~",
        "null",
        "ros__parameters",
        "ros__parametersx",
        "_n",
        "__n",
        "n__m",
        "/**/**",
        "é",
    ];
    let inner = "ros__parameters: {x: 1, m: {y: 2}}";
    for first in names {
        count.look(&rcl, &format!("\"{first}\": {{{inner}}}\n"));
        count.look(&rcl, &format!("\"{first}\": {{{inner}}}\nz: {{{inner}}}\n"));
        count.look(&rcl, &format!("\"{first}\": {{}}\nz: {{{inner}}}\n"));
        count.look(&rcl, &format!("\"{first}\":\nz: {{{inner}}}\n"));
        count.look(&rcl, &format!("\"{first}\": {{ros__parameters: {{}}}}\nz: {{{inner}}}\n"));
        count.look(&rcl, &format!("\"{first}\": {{ros__parameters: 1}}\nz: {{{inner}}}\n"));
        for second in names {
            count.look(
                &rcl,
                &format!("\"{first}\": {{\"{second}\": {{{inner}}}}}\nz: {{{inner}}}\n"),
            );
            count.look(
                &rcl,
                &format!(
                    "\"{first}\": {{\"{second}\": {{{inner}}}, o: {{{inner}}}}}\nz: {{{inner}}}\n"
                ),
            );
            count.look(&rcl, &format!("\"{first}\": {{o: {{p: {{{inner}}}}}, \"{second}\": {{{inner}}}}}\nz: {{{inner}}}\n"));
            count.look(&rcl, &format!("\"{first}\": {{{inner}}}\n\"{second}\": {{{inner}}}\n"));
            count.look(
                &rcl,
                &format!("\"{first}\": {{{inner}, \"{second}\": {{{inner}}}}}\nz: {{{inner}}}\n"),
            );
        }
    }
    count.end("section names", 500);
}

#[test]
fn hazard_58_params_misread_in_arguments() {
    let place = Place::default();
    let (mut agreed, mut wrong) = (0, Vec::new());
    for scalar in SCALARS.iter().filter(|scalar| !scalar.contains('\0')) {
        let Ok(ours) = yaml::parse_value(scalar, "x", &place) else { continue };
        match parse_param_value(scalar).map(value) {
            Ok(theirs) if ours.value.same(&theirs) => agreed += 1,
            theirs => wrong.push(format!("{scalar:?}: ours {:?}, rcl {theirs:?}", ours.value)),
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(agreed >= 100, "the test compared something: {agreed}");
}

/// A small generator with a fixed seed: the same damage in every run.
struct Damage(u64);

impl Damage {
    fn next(&mut self, below: usize) -> usize {
        // Numerical Recipes' 64-bit linear congruential generator; the high bits are good enough.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn damage(&mut self, text: &str) -> String {
        const PIECES: &[&str] = &[
            "\n",
            " ",
            "  ",
            ":",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "#",
            " #",
            "'",
            "\"",
            "&a ",
            "*a",
            "!",
            "!!str ",
            "|",
            ">",
            "%",
            "@",
            "?",
            "? ",
            "~",
            ".",
            "..",
            "a.b",
            "0",
            "08",
            "1e5",
            "yes",
            "\\",
            "---\n",
            "...\n",
            "<<",
            "{}",
            "[]",
            "\r\n",
            "\r",
            "ros__parameters",
            "interlock",
            "/",
            "*",
            "é",
            "\n\n",
            "    ",
            "\n    ",
        ];
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=self.next(3) {
            let at = self.next(characters.len());
            match self.next(4) {
                0 => {
                    let end = (at + 1 + self.next(4)).min(characters.len());
                    characters.drain(at..end);
                }
                1 => {
                    let piece: Vec<char> = PIECES[self.next(PIECES.len())].chars().collect();
                    characters.splice(at..at, piece);
                }
                2 => {
                    let other = self.next(characters.len());
                    characters.swap(at, other);
                }
                _ => {
                    let end = (at + self.next(40)).min(characters.len());
                    let copy: Vec<char> = characters[at..end].to_vec();
                    let to = self.next(characters.len());
                    characters.splice(to..to, copy);
                }
            }
            if characters.is_empty() {
                characters.push(' ');
            }
        }
        characters.into_iter().collect()
    }
}

#[test]
fn hazard_58_params_misread_in_damaged_files() {
    let rcl = Rcl::new("damaged");
    let mut count = Count::default();
    let runs =
        std::env::var("INTERLOCK_DAMAGED_FILES").map_or(20_000, |runs| runs.parse().unwrap());
    let mut damage = Damage(20);
    let files: Vec<String> =
        yaml_files().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let files: Vec<&String> = files.iter().filter(|text| !text.is_empty()).collect();
    for run in 0..runs {
        count.look(&rcl, &damage.damage(files[run % files.len()]));
    }
    count.end("damaged files", runs / 20);
}

#[test]
fn hazard_58_params_misread_in_command_lines() {
    support::isolated("hazard_58_params_misread_in_command_lines", || {
        let folder = std::env::temp_dir().join(format!("interlock-merge-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let files = [
            file("all", "/**: {ros__parameters: {a: 1, m: {b: 2, c: x}, l: [1, 2]}}\n"),
            file("own", "interlock: {ros__parameters: {a: 3, m: {b: 4, d: 1.5}}}\n"),
            file("slash", "/interlock: {ros__parameters: {a: 5, m.b: 6}}\n"),
            file("types", "/**: {ros__parameters: {a: 2.5, m: {b: text}, l: [1.5]}}\n"),
            file(
                "spaced",
                "left: {interlock: {ros__parameters: {a: 7}}}\n/**/interlock: {ros__parameters: {m: {b: 8}}}\n",
            ),
            file(
                "one",
                "/*/interlock: {ros__parameters: {a: 9, z: [a, b]}}\nother: {ros__parameters: {a: 10}}\n",
            ),
            file("deep", "/**: {ros__parameters: {m: {b: {e: 1}}}}\n"),
        ];
        let rules = [
            "a:=11",
            "a:=1.5",
            "m.b:=12",
            "interlock:a:=13",
            "other:a:=14",
            "m.b.e:=15",
            "l:=[3, 4]",
            "l:=[3.5]",
            "new:=yes",
            "a:=text",
            "m.c:='7'",
        ];
        let names: [&[&str]; 4] = [
            &[],
            &["-r", "__ns:=/left"],
            &["-r", "__node:=gate", "-r", "__ns:=/a/b"],
            &[
                "-r",
                "other:__node:=x",
                "-r",
                "interlock:__node:=interlock",
                "-r",
                "__ns:=/left",
                "-r",
                "__ns:=/right",
            ],
        ];
        let mut damage = Damage(58);
        let (mut agreed, mut refused) = (0, 0);
        for _ in 0..150 {
            let mut args = vec!["--ros-args".to_owned()];
            for _ in 0..=damage.next(4) {
                if damage.next(2) == 0 {
                    args.extend([
                        "--params-file".to_owned(),
                        files[damage.next(files.len())].clone(),
                    ]);
                } else {
                    args.extend(["-p".to_owned(), rules[damage.next(rules.len())].to_owned()]);
                }
            }
            args.extend(names[damage.next(names.len())].iter().map(|word| (*word).to_owned()));
            args.push("--".to_owned());
            let arguments = Arguments::parse(&args).unwrap_or_else(|problems| panic!("{problems}"));
            let Ok((ours, _)) = flat_map(&arguments) else {
                refused += 1;
                continue;
            };
            let with_program: Vec<String> =
                std::iter::once("interlock".to_owned()).chain(args.iter().cloned()).collect();
            let context = Context::new(&with_program).unwrap();
            let theirs = parameter_overrides(&context, &arguments.full_name()).unwrap();
            let theirs = FlatMap::from_rcl(theirs.into_iter().map(|(key, one)| (key, value(one))));
            let found = differences(&ours, &theirs);
            assert!(found.is_empty(), "{args:?}\n{found}");
            agreed += 1;
        }
        fs::remove_dir_all(&folder).unwrap();
        println!("command lines: {agreed} agreed, {refused} refused");
        assert!(agreed >= 40 && refused >= 10, "{agreed} agreed, {refused} refused");
    });
}
