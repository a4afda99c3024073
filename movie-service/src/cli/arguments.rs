//! What `movie-service sync` is asked to do.

/// Shown by `--help`, and named when the arguments cannot be used.
pub(super) const USAGE: &str = "\
usage: movie-service sync [PAGES] [options]

  --pages N          pages of TMDB's list, 1 to 500 (default 5); of each year when there are several
  --year Y           movies released in this year
  --years A..B       movies released in these years
  --genres G         movies with these genres: 'Drama,War' for all of them, 'Drama|War' for any
  --language L       movies in this original language, such as fr
  --url URL          the gateway (default http://localhost:8080)
  --token T          the bearer token (default dev)";

/// Options of the sync itself, and the query parameter that each one sets.
const PARAMETERS: [(&str, &str); 5] = [
    ("--pages", "pages"),
    ("--year", "year"),
    ("--years", "years"),
    ("--genres", "with_genres"),
    ("--language", "language"),
];

/// Arguments of a sync.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) url: String,
    pub(super) token: String,
    /// Query parameters of the request.
    pub(super) parameters: Vec<(&'static str, String)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Sync(Arguments),
}

/// Reads the arguments behind `sync`. Their values are checked by the service, but for the number of pages: it takes any
/// text for the default.
pub(super) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut url, mut token, mut parameters) = (None, None, Vec::new());
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        if argument == "--help" || argument == "-h" {
            return Ok(Command::Help);
        }
        if !argument.starts_with('-') {
            add_parameter(&mut parameters, "pages", number(argument)?)?;
            continue;
        }
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let parameter = PARAMETERS.iter().find(|(option, _)| *option == name).map(|(_, parameter)| *parameter);
        if parameter.is_none() && name != "--url" && name != "--token" {
            return Err(format!("there is no option '{name}'"));
        }
        let value = value.or_else(|| arguments.next()).ok_or_else(|| format!("{name} needs a value"))?;
        match parameter {
            Some("pages") => add_parameter(&mut parameters, "pages", number(value)?)?,
            Some(parameter) => add_parameter(&mut parameters, parameter, value)?,
            None if name == "--url" => url = Some(value),
            None => token = Some(value),
        }
    }
    Ok(Command::Sync(Arguments {
        url: url.unwrap_or_else(|| "http://localhost:8080".to_owned()).trim_end_matches('/').to_owned(),
        token: token.unwrap_or_else(|| "dev".to_owned()),
        parameters,
    }))
}

fn add_parameter(
    parameters: &mut Vec<(&'static str, String)>,
    name: &'static str,
    value: String,
) -> Result<(), String> {
    if parameters.iter().any(|(known, _)| *known == name) {
        return Err(format!("{name} is given twice"));
    }
    parameters.push((name, value));
    Ok(())
}

fn number(text: String) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("the number of pages must be a number, not '{text}'"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<Command, String> {
        parse(arguments.split_whitespace().map(str::to_owned))
    }

    fn parameters(arguments: &str) -> Vec<(&'static str, String)> {
        match parsed(arguments) {
            Ok(Command::Sync(arguments)) => arguments.parameters,
            other => panic!("{arguments}: {other:?}"),
        }
    }

    #[test]
    fn a_bare_number_and_the_option_are_one() {
        for arguments in ["5", "--pages 5", "--pages=5"] {
            assert_eq!(parameters(arguments), [("pages", "5".to_owned())], "{arguments}");
        }
        assert_eq!(parameters(""), []);
    }

    #[test]
    fn options_become_query_parameters() {
        assert_eq!(
            parameters("--years 1990..1999 --genres Drama|War --language=fr"),
            [
                ("years", "1990..1999".to_owned()),
                ("with_genres", "Drama|War".to_owned()),
                ("language", "fr".to_owned())
            ]
        );
    }

    #[test]
    fn the_gateway_and_the_token_have_defaults() {
        let Ok(Command::Sync(default)) = parsed("") else { panic!("no arguments are needed") };
        assert_eq!((default.url.as_str(), default.token.as_str()), ("http://localhost:8080", "dev"));
        let Ok(Command::Sync(given)) = parsed("--url http://a:1/ --token=b") else { panic!("both are known") };
        assert_eq!((given.url.as_str(), given.token.as_str()), ("http://a:1", "b"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (arguments, error) in [
            ("--page 1", "there is no option '--page'"),
            ("five", "the number of pages must be a number, not 'five'"),
            ("--pages=", "the number of pages must be a number, not ''"),
            ("--pages -1", "the number of pages must be a number, not '-1'"),
            ("--year", "--year needs a value"),
            ("5 --pages 6", "pages is given twice"),
        ] {
            assert_eq!(parsed(arguments), Err(error.to_owned()), "{arguments}");
        }
        assert_eq!(parsed("5 --help"), Ok(Command::Help));
    }
}
