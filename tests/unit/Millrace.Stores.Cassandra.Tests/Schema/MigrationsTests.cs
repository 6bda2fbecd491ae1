using System.Text.RegularExpressions;
using Millrace.Stores.Cassandra.Schema;

namespace Millrace.Stores.Cassandra.Tests.Schema;

/// <summary>What an older version has to live with while both run.</summary>
public partial class MigrationsTests
{
    [Test]
    public void What_does_not_wait_for_the_end_of_an_upgrade_only_adds()
    {
        var statements = Migrations.All.Where(step => !step.AtFinalise).SelectMany(step => step.Statements).ToList();
        Assert.That(statements, Has.Count.GreaterThan(20));
        Assert.That(statements.Where(statement => !Adds().IsMatch(statement)), Is.Empty);
    }

    [GeneratedRegex("^\\s*(CREATE TABLE IF NOT EXISTS|ALTER TABLE \\w+ ADD IF NOT EXISTS) ")]
    private static partial Regex Adds();
}
