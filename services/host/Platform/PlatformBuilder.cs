using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Millrace.Api;
using Millrace.Archiver;
using Millrace.Archiver.Api;
using Millrace.Cluster;
using Millrace.ColdPath;
using Millrace.EventLog;
using Millrace.Gateway;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.Hosting.Node;
using Millrace.Hosting.Observability;
using Millrace.Hosting.Options;
using Millrace.Hosting.Roles;
using Millrace.Registry;
using Millrace.Stores.Identities;
using Millrace.StreamProcessor;

namespace Millrace.Platform;

/// <summary>Puts roles and the embedded adapters together into one process.</summary>
internal static class PlatformBuilder
{
    public static readonly IReadOnlyList<MillraceRole> AllRoles = Enum.GetValues<MillraceRole>();

    /// <summary>A platform that is ready to start; HO-0001 with all that is wrong with its configuration.</summary>
    /// <param name="settings">What the command line says; it wins over environment and file.</param>
    /// <param name="file">A JSON file, or null.</param>
    /// <param name="defaults">Of the verb; environment and file win over them.</param>
    public static WebApplication Build(
        DataFolder data, IReadOnlyCollection<MillraceRole> roles, IEnumerable<KeyValuePair<string, string?>> settings,
        string? file, IEnumerable<KeyValuePair<string, string?>>? defaults = null)
    {
        var builder = Prepare(data, roles, settings, file, defaults);
        Validate(builder, data);
        var app = builder.Build();
        MapEndpoints(app, roles);
        return app;
    }

    /// <summary>Looks at the configuration and opens nothing; HO-0001 with all that is wrong with it.</summary>
    public static void Check(
        DataFolder data, IReadOnlyCollection<MillraceRole> roles, IEnumerable<KeyValuePair<string, string?>> settings,
        string? file) => Validate(Prepare(data, roles, settings, file), data);

    private static void Validate(WebApplicationBuilder builder, DataFolder data)
    {
        var all = new ServiceCollection();
        AddServices(all, builder.Configuration, data, AllRoles);
        var sections = builder.Services.Concat(all).Select(s => s.ImplementationInstance).OfType<OptionsSection>();
        PlatformRunner.Validate(builder.Services, [.. sections.Distinct()]);
    }

    /// <summary>All services and their options; nothing is opened yet.</summary>
    public static WebApplicationBuilder Prepare(
        DataFolder data, IReadOnlyCollection<MillraceRole> roles, IEnumerable<KeyValuePair<string, string?>> settings,
        string? file, IEnumerable<KeyValuePair<string, string?>>? defaults = null)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(defaults ?? []);
        if (file is not null) AddFile(builder.Configuration, Path.GetFullPath(file));
        builder.Configuration.AddEnvironmentVariables("MILLRACE_").AddInMemoryCollection(settings);
        builder.AddMillraceLogging();
        AddServices(builder.Services, builder.Configuration, data, roles);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenHttp();
            if (roles.Contains(MillraceRole.Gateway)) kestrel.ListenMillraceGateway();
        });

        return builder;
    }

    private static void AddFile(ConfigurationManager configuration, string file)
    {
        try
        {
            configuration.AddJsonFile(file, optional: false);
        }
        catch (InvalidDataException e)
        {
            throw HostingErrors.ConfigurationInvalid.With(file, e.GetBaseException().Message).AsException(e);
        }
    }

    /// <summary>
    /// Hosted services stop in the reverse of this order, and the server, registered last, stops first: devices are let
    /// go of, then those who answer users, then those who work on the log, and the log and the stores at the end.
    /// </summary>
    private static void AddServices(
        IServiceCollection services, IConfiguration configuration, DataFolder data,
        IReadOnlyCollection<MillraceRole> roles)
    {
        services.AddSingleton(data);
        services.AddSingleton(TimeProvider.System);
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddValidatedOptions<HttpOptions>("Http");
        services.AddSingleton<IValidateOptions<HttpOptions>, HttpOptionsValidator>();
        services.AddOptions<HostOptions>().Configure<IOptions<NodeOptions>>(
            (host, node) => host.ShutdownTimeout = node.Value.StopTimeout);
        services.AddMillraceMetrics();
        services.AddMillraceTraces(configuration);
        services.AddMillraceHealth();
        services.AddMillraceCluster(configuration);

        services.AddEventLog(configuration);
        services.AddStores(configuration);
        services.AddObjectStore(configuration, roles);
        services.AddBatch(configuration, roles);
        services.AddReadiness("event-log", async (s, ct) =>
            await s.GetRequiredService<EventLogReadiness>().CheckAsync(ct));
        services.AddReadiness("stores", async (s, ct) => await s.GetRequiredService<IIdentityStore>()
            .FindAsync("readiness", ct));

        if (roles.Contains(MillraceRole.Archiver)) services.AddMillraceArchiver();
        else if (roles.Contains(MillraceRole.ColdPath)) services.AddMillraceArchive();
        if (roles.Contains(MillraceRole.StreamProcessor)) services.AddMillraceStreamProcessor();
        if (roles.Contains(MillraceRole.ColdPath)) services.AddMillraceColdPath();
        if (roles.Contains(MillraceRole.Registry)) services.AddMillraceRegistry();

        // Every process answers for itself (health, metrics), and endpoints of every role ask for a token.
        services.AddMillraceApi();
        if (roles.Contains(MillraceRole.Gateway)) services.AddMillraceGateway();
    }

    private static void MapEndpoints(WebApplication app, IReadOnlyCollection<MillraceRole> roles)
    {
        app.UseMillraceApi();
        app.MapHealth();
        app.MapMetrics();
        if (roles.Contains(MillraceRole.Registry)) app.MapMillraceRegistry();
        if (roles.Contains(MillraceRole.ColdPath)) app.MapMillraceColdPath();
        if (roles.Contains(MillraceRole.Archiver) || roles.Contains(MillraceRole.ColdPath)) app.MapMillraceArchive();
        if (roles.Contains(MillraceRole.Api)) app.MapMillraceApi();
    }
}
