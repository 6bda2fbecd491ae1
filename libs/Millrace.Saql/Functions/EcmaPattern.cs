using System.Text;

namespace Millrace.Saql.Functions;

/// <summary>
/// Patterns of ECMAScript for .NET, where \d and \w mean digits and letters of any script, and $ is also the place
/// before a line end that is the last character: here they are ASCII, and $ is the end. .NET has an option for it that
/// does not go with those that keep the time linear.
/// </summary>
internal static class EcmaPattern
{
    /// <summary>
    /// The underscore first, so that a hyphen behind it stands for itself. Letters that are ASCII letters in another
    /// case (U+017F, U+212A) are left out of the classes that have no ASCII letter.
    /// </summary>
    private const string None = "[]";
    private const string All = "[^]";
    private const string NoCharacter = @"[^\s\S]";
    private const string AnyCharacter = @"[\s\S]";
    private const string Digits = "0-9";
    private const string Letters = "_0-9A-Za-z";
    private const string NoDigits = @"\u0000-/:-\uFFFF";
    private const string NoLetters = @"\u0000-/:-@\[-\^`{-\u017E\u0180-\u2129\u212B-\uFFFF";

    public static string Of(string pattern)
    {
        if (pattern.AsSpan().IndexOfAny('\\', '$', '[') < 0) return pattern;
        var text = new StringBuilder(pattern.Length + 16);
        var isClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var character = pattern[i];
            if (character == '[' && !isClass)
            {
                var empty = EmptyClass(pattern.AsSpan(i));
                isClass = empty.Length == 0;
                if (!isClass)
                {
                    text.Append(empty == None ? NoCharacter : AnyCharacter);
                    i += empty.Length - 1;
                    continue;
                }
            }
            else if (character == '[')
            {
                // Within a class it stands for itself; .NET would subtract what follows a hyphen.
                text.Append('\\');
            }
            else if (character == ']') isClass = false;

            if (character == '$' && !isClass) text.Append(@"\z");
            else if (character != '\\' || i + 1 == pattern.Length) text.Append(character);
            else text.Append(Escape(pattern[++i], isClass));
        }

        return text.ToString();
    }

    /// <summary>A class without members, or of all but these; in .NET its ] would be the first of them.</summary>
    private static string EmptyClass(ReadOnlySpan<char> pattern) =>
        pattern.StartsWith(None) ? None : pattern.StartsWith(All) ? All : "";

    private static string Escape(char letter, bool isClass) => (letter, isClass) switch
    {
        ('d', true) => Digits,
        ('w', true) => Letters,
        ('D', true) => NoDigits,
        ('W', true) => NoLetters,
        ('d', false) => $"[{Digits}]",
        ('w', false) => $"[{Letters}]",
        ('D', false) => $"[^{Digits}]",
        ('W', false) => $"[^{Letters}]",
        _ => $"\\{letter}",
    };
}
