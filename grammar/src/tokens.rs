//! The tokens of the language, as logos finds them in plain ASCII text. What regular expressions cannot say
//! well (string bodies, indentation, non-ASCII names, malformed numbers) is left to `layout`.

use logos::Logos;

/// One token. Literals carry their source text; the parser's actions decode them.
#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip r"[ \t\x0c]+")]
pub enum Token<'s> {
    // Which of the three kinds of program follows; always the first token.
    StartModule,
    StartInteractive,
    StartExpression,
    // Layout.
    #[regex(r"\r\n|\n|\r")]
    Newline,
    Indent,
    Dedent,
    End,
    #[regex(r"#[^\r\n]*", allow_greedy = true)]
    Comment,
    #[token("\\")]
    Backslash,
    /// A character that starts no token; the parser refuses it wherever it stands.
    #[regex(r"[$?`]")]
    Unknown,

    // Names and literals.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Name(&'s str),
    #[regex(r"0(_?0)*|[1-9](_?[0-9])*|0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+")]
    Int(&'s str),
    #[regex(r"([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*([eE][+-]?[0-9](_?[0-9])*)?")]
    #[regex(r"[0-9](_?[0-9])*\.([eE][+-]?[0-9](_?[0-9])*)?")]
    #[regex(r"[0-9](_?[0-9])*[eE][+-]?[0-9](_?[0-9])*")]
    Float(&'s str),
    #[regex(r"[0-9](_?[0-9])*[jJ]")]
    #[regex(r"([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*([eE][+-]?[0-9](_?[0-9])*)?[jJ]")]
    #[regex(r"[0-9](_?[0-9])*\.([eE][+-]?[0-9](_?[0-9])*)?[jJ]")]
    #[regex(r"[0-9](_?[0-9])*[eE][+-]?[0-9](_?[0-9])*[jJ]")]
    Imaginary(&'s str),
    /// logos matches prefix and opening quote; `layout` extends it to the whole literal.
    #[regex(r#"([rR][bB]?|[bB][rR]?|[uU])?("""|'''|"|')"#)]
    Str(&'s str),
    /// Prefix and opening quote of an f-string.
    #[regex(r#"([fF][rR]?|[rR][fF])("""|'''|"|')"#)]
    FStringStart(&'s str),
    /// Literal text inside an f-string or a format specification, undecoded.
    FStringText(&'s str),
    FStringEnd,
    FieldOpen,
    FieldClose,
    /// The `:` between a field's expression and its format specification.
    FieldColon,
    #[token("!")]
    Bang,

    // Keywords.
    #[token("False")]
    False,
    #[token("None")]
    None,
    #[token("True")]
    True,
    #[token("and")]
    And,
    #[token("as")]
    As,
    #[token("assert")]
    Assert,
    #[token("async")]
    Async,
    #[token("await")]
    Await,
    #[token("break")]
    Break,
    #[token("class")]
    Class,
    #[token("continue")]
    Continue,
    #[token("def")]
    Def,
    #[token("del")]
    Del,
    #[token("elif")]
    Elif,
    #[token("else")]
    Else,
    #[token("except")]
    Except,
    #[token("finally")]
    Finally,
    #[token("for")]
    For,
    #[token("from")]
    From,
    #[token("global")]
    Global,
    #[token("if")]
    If,
    #[token("import")]
    Import,
    #[token("in")]
    In,
    #[token("is")]
    Is,
    #[token("lambda")]
    Lambda,
    #[token("nonlocal")]
    Nonlocal,
    #[token("not")]
    Not,
    #[token("or")]
    Or,
    #[token("pass")]
    Pass,
    #[token("raise")]
    Raise,
    #[token("return")]
    Return,
    #[token("try")]
    Try,
    #[token("while")]
    While,
    #[token("with")]
    With,
    #[token("yield")]
    Yield,
    // Words that are keywords only where `soft` finds a match statement or a parenthesised list of with
    // items.
    Match,
    Case,
    WithParenthesised,

    // Operators and delimiters.
    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftSquare,
    #[token("]")]
    RightSquare,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token(":=")]
    Walrus,
    #[token(";")]
    Semicolon,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token("->")]
    Arrow,
    #[token("@")]
    At,
    #[token("=")]
    Equal,
    #[token("==")]
    EqualEqual,
    #[token("!=")]
    NotEqual,
    /// The spelling that `from __future__ import barry_as_FLUFL` asks for; never valid here.
    #[token("<>")]
    LessGreater,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("**")]
    DoubleStar,
    #[token("/")]
    Slash,
    #[token("//")]
    DoubleSlash,
    #[token("%")]
    Percent,
    #[token("<<")]
    ShiftLeft,
    #[token(">>")]
    ShiftRight,
    #[token("&")]
    Ampersand,
    #[token("|")]
    Bar,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("+=")]
    PlusEqual,
    #[token("-=")]
    MinusEqual,
    #[token("*=")]
    StarEqual,
    #[token("@=")]
    AtEqual,
    #[token("/=")]
    SlashEqual,
    #[token("//=")]
    DoubleSlashEqual,
    #[token("%=")]
    PercentEqual,
    #[token("**=")]
    DoubleStarEqual,
    #[token("<<=")]
    ShiftLeftEqual,
    #[token(">>=")]
    ShiftRightEqual,
    #[token("&=")]
    AmpersandEqual,
    #[token("|=")]
    BarEqual,
    #[token("^=")]
    CaretEqual,
}

impl Token<'_> {
    /// Layout tokens take no room in the text: to the grammar they stand where the token before them ended.
    pub fn is_layout(self) -> bool {
        matches!(self, Token::Newline | Token::Indent | Token::Dedent | Token::End)
    }

    /// A word of the language that no name may be.
    pub fn is_keyword(self) -> bool {
        use Token as T;
        matches!(
            self,
            T::False
                | T::None
                | T::True
                | T::And
                | T::As
                | T::Assert
                | T::Async
                | T::Await
                | T::Break
                | T::Class
        ) || matches!(
            self,
            T::Continue
                | T::Def
                | T::Del
                | T::Elif
                | T::Else
                | T::Except
                | T::Finally
                | T::For
                | T::From
                | T::Global
        ) || matches!(
            self,
            T::If | T::Import | T::In | T::Is | T::Lambda | T::Nonlocal | T::Not | T::Or | T::Pass | T::Raise
        ) || matches!(self, T::Return | T::Try | T::While | T::With | T::WithParenthesised | T::Yield)
    }

    /// A word that a string or number may be glued to from the right side of: any name or keyword.
    pub fn is_word(self) -> bool {
        self.is_keyword() || matches!(self, Token::Name(_) | Token::Match | Token::Case)
    }

    /// `(`, `[`, `{` or the opening of an f-string field.
    pub fn opens(self) -> bool {
        matches!(self, Token::LeftParen | Token::LeftSquare | Token::LeftBrace | Token::FieldOpen)
    }

    /// The counterparts of `opens`.
    pub fn closes(self) -> bool {
        matches!(self, Token::RightParen | Token::RightSquare | Token::RightBrace | Token::FieldClose)
    }
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lexeme<'s> {
    pub token: Token<'s>,
    pub start: u32,
    pub end: u32,
}
