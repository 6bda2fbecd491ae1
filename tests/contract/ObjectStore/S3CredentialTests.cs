using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.TestKit;
using Millrace.TestKit.Network;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>Each way to say who a process is, against a store that looks.</summary>
[NonParallelizable]
public sealed class S3CredentialTests
{
    private readonly TemporaryFolder _folder = new();
    private S3Servers _servers = null!;

    [OneTimeSetUp]
    public async Task FindAsync() => _servers = await S3Node.ServersAsync();

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task A_secret_key_may_stand_in_a_file()
    {
        var file = _folder.Sub("secret");
        await File.WriteAllTextAsync(file, _servers.SecretKey + "\n");

        await WorksAsync(("SecretKey", null), ("SecretKeyFile", file));
    }

    [Test]
    public async Task A_shared_file_has_profiles()
    {
        var file = _folder.Sub("credentials");
        await File.WriteAllTextAsync(file, $"""
            [other]
            aws_access_key_id = nobody
            aws_secret_access_key = nothing
            [hub]
            aws_access_key_id = {_servers.AccessKey}
            aws_secret_access_key = {_servers.SecretKey}

            """);

        await WorksAsync(("AccessKey", null), ("SecretKey", null), ("File", file), ("Profile", "hub"));
        Assert.That(async () => await WorksAsync(
                ("AccessKey", null), ("SecretKey", null), ("File", file), ("Profile", "missing")),
            Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0007"));
        Assert.That(async () => await WorksAsync(
                ("AccessKey", null), ("SecretKey", null), ("File", file), ("Profile", "other")),
            Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0005"));
    }

    [Test]
    public async Task The_environment_has_keys()
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", _servers.AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", _servers.SecretKey);
        try
        {
            await WorksAsync(("AccessKey", null), ("SecretKey", null), ("Source", "Environment"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", null);
            Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", null);
        }
    }

    [Test]
    public async Task A_token_is_exchanged_for_keys_and_read_anew_each_time([Values] bool isTls)
    {
        var file = _folder.Sub("token");
        await File.WriteAllTextAsync(file, "first-token\n");
        List<string> tokens = [];
        using var authority = isTls ? new TestAuthority() : null;
        await using var sts = await LoopbackHttp.StartAsync(async context =>
        {
            tokens.Add((await context.Request.ReadFormAsync())["WebIdentityToken"].ToString());
            context.Response.ContentType = "text/xml";
            await context.Response.WriteAsync(Keys());
        }, authority);
        if (isTls) await File.WriteAllTextAsync(_folder.Sub("ca.pem"), authority!.Pem);
        (string, string?)[] settings =
        [
            ("AccessKey", null), ("SecretKey", null), ("TokenFile", file), ("RoleArn", "arn:aws:iam::1:role/hub"),
            ("StsEndpoint", sts.Address),
        ];
        (string, string?)[] store = isTls ? [("CaFile", _folder.Sub("ca.pem"))] : [];

        await WorksAsync(settings, store);
        await File.WriteAllTextAsync(file, "second-token");
        await WorksAsync(settings, store);

        Assert.That(tokens, Is.EqualTo(new[] { "first-token", "second-token" }));
    }

    private static Task WorksAsync(params (string Key, string? Value)[] credentials) => WorksAsync(credentials, []);

    private static async Task WorksAsync((string Key, string? Value)[] credentials, (string, string?)[] others)
    {
        await using var services = await S3Node.OpenAsync(
            [.. credentials.Select(pair => ($"Credentials:{pair.Key}", pair.Value)), .. others]);
        var store = services.GetRequiredService<IObjectStore>();
        await store.PutAsync("k", Encoding.UTF8.GetBytes("x"));
        Assert.That(await store.GetAsync("k"), Is.EqualTo("x"u8.ToArray()));
    }

    private string Keys() => $"""
        <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>{_servers.AccessKey}</AccessKeyId><SecretAccessKey>{_servers.SecretKey}</SecretAccessKey>
        <Expiration>{TimeProvider.System.GetUtcNow().AddHours(1):yyyy-MM-ddTHH:mm:ssZ}</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
        """;
}
