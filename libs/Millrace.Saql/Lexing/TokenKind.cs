namespace Millrace.Saql.Lexing;

internal enum TokenKind : byte
{
    End,

    /// <summary>
    /// A bare name or a keyword: keywords are names in a place, so that a field may be called "value".
    /// </summary>
    Name,

    /// <summary>A name in [brackets] or "double quotes": never a keyword.</summary>
    QuotedName,
    Text,
    Integer,
    Fraction,
    Symbol,

    /// <summary>Something that was already reported.</summary>
    Bad,
}
