using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting;
using Millrace.Hosting.Http;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Registry.Tests;

/// <summary>The registry on real stores and a real log, behind a web server of its own.</summary>
internal sealed class RegistryFixture : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly WebApplication _app;

    private RegistryFixture(Action<RegistryOptions>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new DataFolder(_folder.Path));
        builder.Services.AddLocalEventLog();
        builder.Services.AddSqliteStores();
        builder.Services.AddMillraceRegistry();
        if (configure is not null) builder.Services.Configure(configure);
        builder.Services.AddAuthentication("Test")
            .AddScheme<AuthenticationSchemeOptions, ScopeHandler>("Test", null);
        var policies = builder.Services.AddAuthorizationBuilder();
        foreach (var scope in new[] { ApiScopes.Read, ApiScopes.Operate, ApiScopes.Administer })
            policies.AddPolicy(scope, policy => policy.RequireClaim("scope", scope));
        _app = builder.Build();
        _app.UseAuthentication();
        _app.UseAuthorization();
        _app.MapMillraceRegistry();
    }

    public string Folder => _folder.Path;

    /// <summary>May do everything.</summary>
    public HttpClient Http { get; private set; } = null!;

    public static async Task<RegistryFixture> StartAsync(Action<RegistryOptions>? configure = null)
    {
        var fixture = new RegistryFixture(configure);
        await fixture._app.StartAsync();
        fixture.Http = fixture.Client(ApiScopes.Read, ApiScopes.Operate);
        return fixture;
    }

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public HttpClient Client(params string[] scopes)
    {
        var client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
        if (scopes.Length == 0) return client;
        client.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Test", string.Join(' ', scopes));
        return client;
    }

    public async Task<(int Status, JsonObject? Body, string? ETag)> SendAsync(
        HttpMethod method, string path, object? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/devices" + path);
        if (body is not null) request.Content = body is string json
            ? new StringContent(json, new MediaTypeHeaderValue("application/json"))
            : JsonContent.Create(body);
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text)!.AsObject(),
            response.Headers.ETag?.Tag);
    }

    /// <summary>All records of a topic, by its partitions.</summary>
    public async Task<List<T>> ReadAsync<T>(string topic, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var log = Get<IEventLog>();
        var items = new List<T>();
        for (var partition = 0; partition < log.FindTopic(topic)!.Partitions; partition++)
        {
            await using var reader = log.OpenReader(new TopicPartition(topic, partition), 0);
            while (await reader.TryReadAsync() is { } batch)
            {
                foreach (var record in batch) items.Add(JsonSerializer.Deserialize(record.Value, type)!);
            }
        }

        return items;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Lets in who names scopes, under the name "tester".</summary>
    private sealed class ScopeHandler(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var header = Request.Headers.Authorization.ToString();
            if (!header.StartsWith("Test ", StringComparison.Ordinal))
                return Task.FromResult(AuthenticateResult.NoResult());
            var claims = header["Test ".Length..].Split(' ').Select(s => new Claim("scope", s))
                .Append(new Claim(ClaimTypes.Name, "tester"));
            var user = new ClaimsPrincipal(new ClaimsIdentity(claims, "Test"));
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, "Test")));
        }
    }
}
