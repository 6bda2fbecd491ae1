namespace Millrace.Saql.Lexing;

/// <param name="Start">Where the token begins in the text, in characters.</param>
/// <param name="Text">A name or text without its quotes; else as written.</param>
internal readonly record struct Token(TokenKind Kind, int Start, int Length, string Text)
{
    public int End => Start + Length;

    public bool IsWord(string keyword) =>
        Kind == TokenKind.Name && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    public bool IsSymbol(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    public bool IsAnyName => Kind is TokenKind.Name or TokenKind.QuotedName;

    /// <summary>The token as a message shows it.</summary>
    public string Shown => Kind switch
    {
        TokenKind.End => "the end of the query",
        TokenKind.Text => $"the text '{Shorten(Text)}'",
        TokenKind.QuotedName => $"[{Shorten(Text)}]",
        _ => $"'{Shorten(Text)}'",
    };

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..37] + "...";
}
