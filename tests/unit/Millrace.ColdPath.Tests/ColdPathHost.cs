using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.Hosting;
using Millrace.Hosting.Http;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.ObjectStore;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>The cold path's endpoints on a real socket, over an archive in a folder of its own.</summary>
internal sealed class ColdPathHost : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly WebApplication _app;

    private ColdPathHost(TemporaryFolder folder, WebApplication app)
    {
        _folder = folder;
        _app = app;
        var features = app.Services.GetRequiredService<IServer>().Features;
        var address = features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Client = new HttpClient { BaseAddress = new Uri(address) };
        As("operate");
    }

    public HttpClient Client { get; }

    public IBatchEngine Engine => _app.Services.GetRequiredService<IBatchEngine>();

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public IObjectStore Objects => _app.Services.GetRequiredService<IObjectStore>();

    public static async Task<ColdPathHost> StartAsync(
        Dictionary<string, string?>? settings = null, TimeProvider? time = null,
        Action<IServiceCollection>? change = null)
    {
        var folder = new TemporaryFolder();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.Services.AddSingleton(time ?? TimeProvider.System).AddSingleton(new DataFolder(folder.Path))
            .AddFileObjectStore().AddBatchOptions().AddDuckDbBatch().AddSqliteStores()
            .AddValidatedOptions<NodeOptions>("Node")
            .AddMillraceColdPath();
        builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, ScopeHeader>("test", null);
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(ApiScopes.Read, policy => policy.RequireClaim("scope", "read", "operate"))
            .AddPolicy(ApiScopes.Operate, policy => policy.RequireClaim("scope", "operate"));
        change?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapMillraceColdPath();
        await app.StartAsync();
        return new ColdPathHost(folder, app);
    }

    /// <summary>Further requests have this scope.</summary>
    public void As(string scope) =>
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", scope);

    public async Task<(int Status, string Body)> PostAsync(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync(path, body);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The scope is the bearer token itself.</summary>
    private sealed class ScopeHeader(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var scope = Request.Headers.Authorization.ToString().Replace("Bearer ", "");
            if (scope.Length == 0) return Task.FromResult(AuthenticateResult.NoResult());
            var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim("scope", scope)], Scheme.Name));
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, Scheme.Name)));
        }
    }
}
