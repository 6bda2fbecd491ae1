using System.Text.RegularExpressions;
using Millrace.Batch;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

/// <summary>Every statement of docs/sql-batch.md gives the same rows on both engines.</summary>
[TestFixture]
public sealed partial class DialectTests
{
    private static readonly Dictionary<string, object?> Parameters = new()
    {
        ["device"] = "device-1",
        ["from"] = SampleArchive.Start,
        ["to"] = SampleArchive.Start.AddHours(2),
    };

    private BothEngines? _both;

    [OneTimeSetUp]
    public async Task Open()
    {
        _both = await BothEngines.OpenAsync();
        await SampleArchive.WriteAsync(_both.Store);
    }

    [OneTimeTearDown]
    public async Task Close()
    {
        if (_both is not null) await _both.DisposeAsync();
    }

    [TestCaseSource(nameof(Statements))]
    public async Task A_statement_of_the_page_gives_the_same_rows(string sql)
    {
        var named = Parameters.Where(pair => sql.Contains($"${pair.Key}")).ToDictionary();
        var query = new BatchQuery(sql, named);

        var (duckDb, spark) = await _both!.RowsAsync(query, isOrdered: sql.Contains(" LIMIT "));

        Assert.That(duckDb, Has.Count.GreaterThan(1));
        Assert.That(spark, Is.EqualTo(duckDb));
    }

    private static IEnumerable<string> Statements()
    {
        var page = File.ReadAllText(SourceTree.PathOf("docs", "sql-batch.md"));
        return SqlPattern().Matches(page).SelectMany(block =>
            block.Groups[1].Value.Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlPattern();
}
