using System.Text;
using CsCheck;

namespace Millrace.Mqtt.Tests.Topics;

/// <summary>Topics and filters of few levels, so that they meet; and matching as the specification says it.</summary>
internal static class NaiveTopics
{
    private static readonly string[] Levels = ["a", "b", "", "$s", "ü"];
    private static readonly Gen<string> TopicLevel = Gen.OneOfConst(Levels);

    public static readonly Gen<string> Topic =
        TopicLevel.Array[1, 4].Select(levels => string.Join('/', levels)).Where(topic => topic.Length > 0);

    public static readonly Gen<string> Filter = Gen.Select(
        Gen.OneOfConst("a", "b", "", "$s", "+", "+").Array[0, 4], Gen.Bool,
        (levels, isOpen) => string.Join('/', isOpen ? [.. levels, "#"] : levels)).Where(filter => filter.Length > 0);

    /// <summary>Every topic of up to five levels; what two filters differ in shows in one of them.</summary>
    public static readonly string[] AllTopics = [.. Enumerable.Range(1, 5).SelectMany(All).Where(t => t.Length > 0)];

    public static bool Matches(string filter, string topic)
    {
        var (asked, levels) = (filter.Split('/'), topic.Split('/'));
        return Match(asked, levels) && !(topic.StartsWith('$') && asked[0] is ("+" or "#"));
    }

    public static byte[] Bytes(this string text) => Encoding.UTF8.GetBytes(text);

    private static bool Match(ReadOnlySpan<string> filter, ReadOnlySpan<string> topic) => filter switch
    {
        ["#"] => true,
        [] => topic.IsEmpty,
        _ => !topic.IsEmpty && (filter[0] == "+" || filter[0] == topic[0]) && Match(filter[1..], topic[1..]),
    };

    private static IEnumerable<string> All(int count) => count == 1
        ? Levels
        : All(count - 1).SelectMany(start => Levels.Select(level => $"{start}/{level}"));
}
