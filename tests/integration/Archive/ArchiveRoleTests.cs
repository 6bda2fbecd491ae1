using Millrace.Integration.Tests.Host;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Archive;

/// <summary>Which processes answer for the archive.</summary>
public class ArchiveRoleTests
{
    [Test]
    public async Task Where_jobs_run_the_archive_is_answered_for_without_an_archiver()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartRolesAsync("api,registry,cold-path");
        foreach (var verb in new[] { "show", "verify", "compact" })
        {
            var result = await Command.MillraceAsync("archive", verb, "--data", folder.Path);
            Assert.That(result.ExitCode, Is.Zero, $"{verb}: {result.Output}{result.Error}");
        }
    }
}
