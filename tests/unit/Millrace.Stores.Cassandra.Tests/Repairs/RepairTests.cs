using CsCheck;
using Millrace.Stores.Cassandra.Repairs;

namespace Millrace.Stores.Cassandra.Tests.Repairs;

/// <summary>Since when all rows were repaired, from what Cassandra says of each repair.</summary>
public class RepairTests
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Tables = ["devices", "alerts"];

    /// <summary>Near the ends of the ring and in between, so that ranges meet, overlap and go over the end.</summary>
    private static readonly long[] Tokens =
        [long.MinValue, long.MinValue + 1, -7, -6, 0, 1, 5, long.MaxValue - 1, long.MaxValue];

    private static readonly Gen<(int Day, bool[] Tables, (long After, long Last)[] Ranges)> Repairs = Gen.Select(
        Gen.Int[1, 20], Gen.Bool.Array[2],
        Gen.Select(Gen.OneOfConst(Tokens), Gen.OneOfConst(Tokens)).Array[0, 4]);

    /// <summary>Tokens are looked up one by one: all that a range begins or ends at, and their neighbours.</summary>
    [Test]
    public void Every_token_counts_for_every_table() => Repairs.Array[0, 12].Sample(repairs =>
    {
        var found = Repair.WholeSince([.. repairs.Select(one => new Repair(Begin.AddDays(one.Day),
            Tables.Where((_, i) => one.Tables[i]).ToHashSet(),
            [.. one.Ranges.SelectMany(range => TokenRange.Parse($"({range.After},{range.Last}]"))]))], Tables, Begin);

        var tokens = Tokens.SelectMany(token => new[] { token, token == long.MaxValue ? token : token + 1 })
            .Where(token => token != long.MinValue).Distinct();
        var naive = (from token in tokens
                     from table in new[] { 0, 1 }
                     select repairs.Where(one => one.Tables[table] && one.Ranges.Any(range => Holds(range, token)))
                         .Select(one => one.Day).DefaultIfEmpty().Max()).Min();
        Assert.That(found, Is.EqualTo(Begin.AddDays(naive)));
    });

    [TestCase("")]
    [TestCase("(1,2)")]
    [TestCase("(1,9223372036854775808]")]
    [TestCase("(a,b]")]
    public void What_is_no_range_covers_nothing(string text) => Assert.That(TokenRange.Parse(text), Is.Empty);

    [Test]
    public void Without_a_table_or_a_repair_it_is_as_old_as_the_tables()
    {
        Assert.That(Repair.WholeSince([], Tables, Begin), Is.EqualTo(Begin));
        Assert.That(Repair.WholeSince([], [], Begin), Is.EqualTo(Begin));
    }

    private static bool Holds((long After, long Last) range, long token) =>
        range.After == range.Last || (range.After < range.Last
            ? token > range.After && token <= range.Last
            : token > range.After || token <= range.Last);
}
