//! Our loader against rcl's own parser, over every shipped and every broken file, scalars, keys,
//! command lines and thousands of damaged files.
//!
//! Property: what our loader accepts, rcl accepts with the same sections, keys and values, to the
//! last bit. What it does not accept, it refuses by name. It never reads another value.

mod compare;
mod damage;
mod scalars;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::PathBuf;

use interlock::config::args::Arguments;
use interlock::config::differences;
use interlock::config::load::flat_map;
use interlock::config::problem::Place;
use interlock::config::value::FlatMap;
use interlock::config::yaml;
use interlock::ros::rcl::{Context, parameter_overrides, parse_param_value};

use compare::{Count, Rcl, value};
use damage::Damage;
use scalars::SCALARS;

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
    for inside in ["{}", "{x: 1}", "{ros__parameters: {}}", "1", "[]"] {
        count.look(&rcl, &format!("n: {{ros__parameters: {{ros__parameters: {inside}, x: 1}}}}\n"));
        count.look(&rcl, &format!("n: {{ros__parameters: {{x: 1, ros__parameters: {inside}}}}}\n"));
    }
    count.end("section names", 500);
}

#[test]
fn hazard_58_params_misread_in_arguments() {
    let place = Place::default();
    let (mut agreed, mut wrong) = (0, Vec::new());
    for scalar in SCALARS.iter().filter(|scalar| !scalar.contains('\0')) {
        let Ok(ours) = yaml::parse_value(scalar, "x", &place) else {
            continue;
        };
        match parse_param_value(scalar).map(value) {
            Ok(theirs) if ours.value.same(&theirs) => agreed += 1,
            theirs => wrong.push(format!("{scalar:?}: ours {:?}, rcl {theirs:?}", ours.value)),
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(agreed >= 100, "the test compared something: {agreed}");
}

#[test]
fn hazard_58_params_misread_in_damaged_files() {
    let rcl = Rcl::new("damaged");
    let mut count = Count::default();
    let runs = std::env::var("INTERLOCK_DAMAGED_FILES").map_or(6_000, |runs| runs.parse().unwrap());
    let seed = std::env::var("INTERLOCK_DAMAGE_SEED").map_or(20, |seed| seed.parse().unwrap());
    let mut damage = Damage(seed);
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
