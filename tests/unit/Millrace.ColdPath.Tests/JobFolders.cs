using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>Folders of jobs that a test makes.</summary>
internal static class JobFolders
{
    /// <summary>A statement that runs for hours.</summary>
    public const string Endless =
        "SELECT max(i * j) AS m FROM range(10000000000) AS a(i), range(1000) AS b(j) WHERE $from < $to";

    public static void Write(TemporaryFolder folder, string name, string sql, string? cron = null)
    {
        var job = Directory.CreateDirectory(folder.Sub(name)).FullName;
        File.WriteAllText(Path.Combine(job, "job.sql"), sql);
        var schedule = cron is null ? "" : $$"""
            "schedule":{"cron":"{{cron}}","lookBack":"1d"},
            """;
        File.WriteAllText(Path.Combine(job, "job.json"), $$"""
            {"description":"x","part":"day",{{schedule}}"parameters":[
              {"name":"from","type":"timestamp","description":"y"},{"name":"to","type":"timestamp","description":"z"}]}
            """);
    }
}
