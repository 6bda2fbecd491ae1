using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    /// <summary>MATCH_RECOGNIZE (LIMIT ... PARTITION BY ... MEASURES ... PATTERN (...) DEFINE ...) AS alias.</summary>
    private MatchSyntax? ParseMatch()
    {
        var match = new MatchSyntax(Here);
        Take();
        if (!ExpectSymbol("(")) return null;
        var errors = _diagnostics.ErrorCount;
        while (ParseMatchClause(match))
        {
        }

        match.IsBroken = _diagnostics.ErrorCount > errors;
        if (!TryTakeSymbol(")"))
        {
            match.IsBroken = true;
            Unexpected("LIMIT DURATION, PARTITION BY, MEASURES, AFTER MATCH SKIP TO NEXT ROW, PATTERN, DEFINE or ')'");
            SkipToClose();
        }

        match.Alias = ParseSourceAlias();
        return match;
    }

    private bool ParseMatchClause(MatchSyntax match)
    {
        if (Current.IsWord("LIMIT")) match.Limit = ParseLimit();
        else if (Current.IsWord("PARTITION") && Following.IsWord("BY"))
        {
            Take();
            Take();
            match.PartitionBy = ParsePartitionKeys();
        }
        else if (TryTakeWord("MEASURES"))
        {
            do ParseMeasure(match);
            while (TryTakeSymbol(","));
        }
        else if (Current.IsWord("AFTER"))
        {
            foreach (var word in (ReadOnlySpan<string>)["AFTER", "MATCH", "SKIP", "TO", "NEXT", "ROW"])
            {
                if (!ExpectWord(word)) return false;
            }
        }
        else if (TryTakeWord("PATTERN"))
        {
            if (!ExpectSymbol("(")) return false;
            match.Pattern = ParsePattern();
            return ExpectSymbol(")");
        }
        else if (TryTakeWord("DEFINE"))
        {
            do ParseDefine(match);
            while (TryTakeSymbol(","));
        }
        else return false;
        return true;
    }

    private void ParseMeasure(MatchSyntax match)
    {
        var value = ParseListed("a measure");
        if (!ExpectWord("AS")) return;
        var place = Here;
        if (TakeName("a name for the measure") is { } name) match.Measures.Add((value, name.Text, place));
    }

    private void ParseDefine(MatchSyntax match)
    {
        var place = Here;
        if (TakeName("a variable of the pattern") is not { } name || !ExpectWord("AS")) return;
        match.Defines.Add((name.Text, place, ParseListed("a condition")));
    }

    private PatternSyntax? ParsePattern()
    {
        var start = Here;
        var choices = new List<PatternSyntax>();
        do
        {
            if (ParseNested(ParseSequence) is not { } choice) return null;
            choices.Add(choice);
        }
        while (TryTakeSymbol("|"));

        return choices.Count == 1 ? choices[0] : new PatternChoice(Since(start), choices);
    }

    /// <summary>How often a part is repeated has no number.</summary>
    private void RefuseCount(TextSpan part)
    {
        var name = _diagnostics.LineOf(Since(part));
        Report(SaqlErrors.NotInLanguage, Here, "A part of a pattern is repeated with *, + or ?, and no number; write " +
            $"{name} {name} for {name}{{2}}, {name} {name}+ for {name}{{2,}}, {name} {name}? for {name}{{1,2}}.");
        while (Current.Kind is TokenKind.Integer || Current.IsSymbol("{") || Current.IsSymbol(",")) Take();
        TryTakeSymbol("}");
    }

    private PatternSyntax? ParseSequence()
    {
        var start = Here;
        var parts = new List<PatternSyntax>();
        while (AtBareName || Current.IsSymbol(".") || Current.IsSymbol("("))
        {
            var place = Here;
            PatternSyntax? part;
            if (TryTakeSymbol("("))
            {
                part = ParsePattern();
                if (part is null || !ExpectSymbol(")")) return null;
            }
            else part = new PatternVariable(place, Take().Text);
            if (Current.Kind == TokenKind.Symbol && Current.Text is "*" or "+")
                part = new PatternRepeat(Since(place), part, Take().Text[0]);
            else if (Current.IsSymbol("?")) part = new PatternRepeat(Since(place), part, Take().Text[0]);
            else if (Current.IsSymbol("{")) RefuseCount(place);
            parts.Add(part);
        }

        if (parts.Count == 1) return parts[0];
        if (parts.Count > 1) return new PatternSequence(Since(start), parts);
        Unexpected("a variable of the pattern");
        return null;
    }
}
