using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

/// <summary>
/// Joins and set operations that other SQL has. Their words are names elsewhere, so it is what follows that tells them
/// apart; a name in [brackets], or an alias behind AS, is never one of them.
/// </summary>
internal sealed partial class Parser
{
    private const string TimeBound = "a time, such as DATEDIFF(second, a, b) BETWEEN 0 AND 5";
    private const string JoinsThereAre = "write JOIN or LEFT JOIN, ON its keys and " + TimeBound;

    private static readonly Dictionary<string, string> OtherJoins = new(StringComparer.OrdinalIgnoreCase)
    {
        ["RIGHT"] = "write the two sources the other way round, with LEFT JOIN",
        ["FULL"] = "write LEFT JOIN, and UNION with a LEFT JOIN of the sources the other way round, WHERE the other's "
            + "key IS NULL",
        ["CROSS"] = "write JOIN, ON " + TimeBound,
        ["NATURAL"] = JoinsThereAre,
        ["SEMI"] = JoinsThereAre,
        ["ANTI"] = "write LEFT JOIN, ON its keys and a time, WHERE the other's key IS NULL",
        ["ASOF"] = JoinsThereAre,
    };

    private const string Subtraction = "LEFT JOIN the other SELECT within a time, WHERE its key IS NULL";

    private static readonly Dictionary<string, string> SetOperations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["EXCEPT"] = Subtraction,
        ["MINUS"] = Subtraction,
        ["INTERSECT"] = "JOIN the other SELECT within a time",
    };

    private bool AtOtherJoin => Current.Kind == TokenKind.Name && OtherJoins.ContainsKey(Current.Text)
        && (Following.IsWord("JOIN") || (Following.IsWord("OUTER") && _tokens[_at + 2].IsWord("JOIN")));

    /// <summary>Tells what to write instead, and goes on as if it were JOIN.</summary>
    private void RefuseJoin()
    {
        var word = Current.Text;
        Report(SaqlErrors.NotInLanguage, Here, $"There is no {word.ToUpperInvariant()} JOIN; {OtherJoins[word]}.");
        Take();
        TryTakeWord("OUTER");
    }

    /// <summary>EXCEPT and the like, and a SELECT behind it, which may stand in parentheses.</summary>
    private bool AtSetOperation
    {
        get
        {
            if (Current.Kind != TokenKind.Name || !SetOperations.ContainsKey(Current.Text)) return false;
            var at = _at + 1;
            if (_tokens[at].IsWord("ALL") || _tokens[at].IsWord("DISTINCT")) at++;
            while (_tokens[at].IsSymbol("(")) at++;
            return _tokens[at].IsWord("SELECT");
        }
    }

    /// <summary>Tells what to write instead, and goes on as if it were UNION. False where there is none.</summary>
    private bool TryRefuseSetOperation()
    {
        if (!AtSetOperation) return false;
        var word = Current.Text;
        Report(SaqlErrors.NotInLanguage, Here, $"There is no {word.ToUpperInvariant()}; {SetOperations[word]}.");
        Take();
        if (!TryTakeWord("ALL")) TryTakeWord("DISTINCT");
        return true;
    }

    /// <summary>SELECT ALL x might as well be a field ALL that is called x.</summary>
    private void RefuseSelectAll()
    {
        var isBeforeStar = Following.IsSymbol("*")
            && (_tokens[_at + 2].IsWord("FROM") || _tokens[_at + 2].IsWord("INTO") || _tokens[_at + 2].IsSymbol(","));
        var isBeforeValue = Following.Kind is TokenKind.QuotedName or TokenKind.Text or TokenKind.Integer
            or TokenKind.Fraction || (Following.Kind == TokenKind.Name && !Words.IsReserved(Following.Text))
            || Following.IsWord("CASE") || Following.IsWord("NULL");
        if (!Current.IsWord("ALL") || !(isBeforeStar || isBeforeValue)) return;
        Report(SaqlErrors.NotInLanguage, Here,
            "There is no SELECT ALL: every SELECT gives all rows. Leave ALL out; a field of this name is [ALL].");
        Take();
    }
}
