using System.Xml.Linq;

namespace Millrace.Tidy.Tests;

/// <summary>Rooms know only what lies to their left, and a package stays in its room.</summary>
public class ReferenceTests
{
    private static readonly Dictionary<string, int> Floors = new()
    {
        ["Millrace.Primitives"] = 0,
        ["Millrace.Contracts"] = 1,
        ["Millrace.Cql"] = 1,
        ["Millrace.Hosting"] = 1,
        ["Millrace.EventLog"] = 2,
        ["Millrace.Stores"] = 2,
        ["Millrace.ObjectStore"] = 2,
        ["Millrace.Mqtt"] = 2,
        ["Millrace.Saql"] = 2,
        ["Millrace.Delta"] = 3,
        ["Millrace.Extensions"] = 4,
        ["Millrace.Models"] = 4,
        ["Millrace.EventLog.Kafka"] = 4,
        ["Millrace.Stores.Cassandra"] = 4,
        ["Millrace.Batch"] = 4,
        ["Millrace.Gateway"] = 5,
        ["Millrace.Registry"] = 5,
        ["Millrace.StreamProcessor"] = 5,
        ["Millrace.Archiver"] = 5,
        ["Millrace.ColdPath"] = 5,
        ["Millrace.Api"] = 5,
        ["Millrace.Simulator"] = 5,
        ["Millrace"] = 6,
    };

    private static readonly Dictionary<string, string[]> Homes = new()
    {
        ["Akka"] = ["Millrace.StreamProcessor", "Millrace"],
        ["Confluent.Kafka"] = ["Millrace.EventLog.Kafka"],
        ["Google.Protobuf"] = ["Millrace.Extensions", "Millrace.Batch"],
        ["AWSSDK"] = ["Millrace.ObjectStore"],
        ["ParquetSharp"] = ["Millrace.Archiver", "Millrace.Delta", "Millrace.ColdPath"],
        ["DuckDB.NET"] = ["Millrace.Batch"],
        ["Microsoft.Data.Sqlite"] = ["Millrace.Stores"],
        ["Microsoft.ML"] = ["Millrace.Models"],
        ["MQTTnet"] = ["Millrace.Simulator", "Millrace.Gateway"],
        ["K4os.Compression"] = ["Millrace.Cql"],
        ["OpenTelemetry"] = ["Millrace.Hosting"],
        ["Serilog"] = ["Millrace.Hosting"],
        ["Spectre.Console"] = ["Millrace"],
        ["System.CommandLine"] = ["Millrace"],
        ["Grpc"] = ["Millrace.Batch"],
        ["Apache.Arrow"] = ["Millrace.Batch", "Millrace.ColdPath"],
    };

    private static IEnumerable<string> Shipped =>
        Tree.Projects.Where(p => p.StartsWith("libs/") || p.StartsWith("services/"));

    [Test]
    public void Every_shipped_project_has_its_floor() =>
        Assert.That(Shipped.Select(Name).Where(n => !Floors.ContainsKey(n)), Is.Empty);

    [Test]
    public void References_point_to_lower_floors_only()
    {
        var wrong = Shipped.SelectMany(p => References(p, "ProjectReference").Select(r => (From: Name(p), To: Name(r))))
            .Where(r => Floors[r.To] >= Floors[r.From]).Select(r => $"{r.From} -> {r.To}");
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void A_package_stays_in_its_room()
    {
        var strayed = Shipped.SelectMany(p =>
            References(p, "PackageReference").Select(r => (Room: Name(p), Package: r)))
            .Where(r => Homes.Any(h => r.Package.StartsWith(h.Key) && !h.Value.Contains(r.Room)))
            .Select(r => $"{r.Room} takes {r.Package}");
        Assert.That(strayed, Is.Empty);
    }

    [Test]
    public void Every_project_is_in_the_solution_and_short()
    {
        var solution = Tree.Read("Platform.sln").Replace('\\', '/');
        Assert.That(Tree.Projects.Where(p => !solution.Contains(p)), Is.Empty, "not in Platform.sln");

        // The host names every room, one a line.
        var longest = Tree.Projects.Where(p => Name(p) != "Millrace").Where(p => Tree.Lines(p).Length > 26);
        Assert.That(longest, Is.Empty, "longer than 26 lines");
    }

    private static string Name(string project) => Path.GetFileNameWithoutExtension(project.Replace('\\', '/'));

    private static IEnumerable<string> References(string project, string kind) =>
        XDocument.Parse(Tree.Read(project)).Descendants(kind).Select(r => r.Attribute("Include")!.Value);
}
