using Microsoft.Extensions.Options;
using Millrace.Cql;
using Millrace.EventLog;

namespace Millrace.Stores.Cassandra.Tests;

public class CassandraOptionsValidatorTests
{
    [Test]
    public void Nothing_is_asked_of_it_while_the_stores_are_elsewhere() =>
        Assert.That(Failures(new CassandraOptions { Consistency = Consistency.Serial }, StoreKind.Sqlite), Is.Empty);

    [Test]
    public void Nodes_are_needed_and_found_between_commas()
    {
        Assert.That(Failures(new CassandraOptions()), Has.One.StartsWith("Cassandra:ContactPoints is missing"));
        Assert.That(Failures(new CassandraOptions { ContactPoints = " , " }), Has.Count.EqualTo(1));
        var options = new CassandraOptions { ContactPoints = "one, two:9043," };
        Assert.That(options.Points, Is.EqualTo(new[] { "one", "two:9043" }));
        Assert.That(Failures(options), Is.Empty);
    }

    [Test]
    public void All_that_is_wrong_is_said_at_once_each_with_its_key()
    {
        var options = new CassandraOptions
        {
            ContactPoints = "one",
            Consistency = Consistency.Any,
            RequestTimeout = TimeSpan.FromMilliseconds(5),
            RepairCheckInterval = TimeSpan.FromMilliseconds(5),
            Replication = { ["dc1"] = 0, ["d'c"] = 1 },
            Security = { CaFile = "/none", CertificateFile = "/none", UserName = "me" },
        };
        string[] keys =
        [
            "Cassandra:Replication:dc1 ", "Cassandra:Replication:d'c ", "Cassandra:Consistency ",
            "Cassandra:RequestTimeout ", "Cassandra:RepairCheckInterval ",
            "Cassandra:Security:CaFile ", "Cassandra:Security:CertificateFile is",
            "Cassandra:Security:Tls ", "Cassandra:Security:CertificateFile and", "Cassandra:Security:UserName and",
        ];
        var failures = Failures(options);
        foreach (var key in keys) Assert.That(failures, Has.One.StartsWith(key));
        Assert.That(failures, Has.Count.EqualTo(keys.Length));
    }

    private static List<string> Failures(CassandraOptions options, StoreKind kind = StoreKind.Cassandra) =>
        [.. new CassandraOptionsValidator(
            Options.Create(new StoreOptions { Kind = kind }), Options.Create(new EventLogOptions()))
            .Validate(null, options).Failures ?? []];
}
