using System.CommandLine;
using Millrace.Client;
using Millrace.Hosting;
using Millrace.Platform;

namespace Millrace.Secrets;

/// <summary>millrace certificate ...</summary>
internal static class CertificateCommands
{
    private static readonly Option<string[]> Host = new("--host")
    {
        Description = "A name under which devices reach the gateway; may be repeated",
        HelpName = "NAME",
    };

    public static Command Build() =>
        Verb.Group("certificate", "The data folder's own authority and server certificate", Make());

    private static Command Make() => Verb.Local("make",
        "Make the authority and the server's certificate where they are missing or about to end",
        "millrace certificate make --host gateway --host devices.example.com", (parsed, _) =>
        {
            var data = new DataFolder(Path.GetFullPath(CommonOptions.DataPath(parsed)));
            var secrets = PlatformSecrets.Ensure(data, TimeProvider.System, parsed.GetValue(Host) ?? []);
            Console.WriteLine(secrets.AuthorityFile);
            Console.WriteLine(secrets.ServerCertificateFile);
            Console.WriteLine(secrets.ServerKeyFile);
            return Task.FromResult(Verb.Done);
        }, Host, CommonOptions.Data);
}
