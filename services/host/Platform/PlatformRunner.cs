using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Millrace.Api.Authentication;
using Millrace.Cluster;
using Millrace.Hosting;
using Millrace.Hosting.Http;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Hosting.Roles;
using Millrace.Primitives;

namespace Millrace.Platform;

/// <summary>Starts a platform, and turns what goes wrong at the start into errors that a user can act on.</summary>
internal static class PlatformRunner
{
    public static async Task StartAsync(WebApplication app, CancellationToken ct)
    {
        try
        {
            await app.StartAsync(ct);
        }
        catch (Exception e)
        {
            // What had started ends in its order, and not by what it stands on going away.
            await app.StopAsync(CancellationToken.None);
            await app.DisposeAsync();
            throw Explained(e);
        }
    }

    /// <summary>Lets the verbs of this machine in: the folder's token is an administrator's, and the folder says
    /// where the process with the API listens.</summary>
    public static async Task<PlatformEndpoints> OpenAsync(
        WebApplication app, DataFolder data, string token, IReadOnlyCollection<MillraceRole> roles,
        CancellationToken ct)
    {
        await app.Services.GetRequiredService<TokenIssuer>().KeepAsync(
            token, "administrator", [ApiScopes.Administer], null, ct);
        var endpoints = PlatformEndpoints.Of(app);
        if (roles.Contains(MillraceRole.Api)) endpoints.Save(data);
        return endpoints;
    }

    /// <summary>HO-0001 with everything that is wrong with the options, when something is.</summary>
    /// <param name="sections">All that there are, whichever roles this process has.</param>
    public static void Validate(IServiceCollection services, IReadOnlyCollection<OptionsSection> sections)
    {
        // A provider of its own: the real one opens the log as soon as it makes the server.
        using var options = services.BuildServiceProvider();
        var failures = UnknownKeys.In(options.GetRequiredService<IConfiguration>(), sections).ToList();
        try
        {
            options.GetRequiredService<IStartupValidator>().Validate();
        }
        catch (Exception e) when (Failures(e) is { } wrong)
        {
            failures.AddRange(wrong);
        }

        if (failures.Count > 0) throw Invalid(failures, null);
    }

    /// <summary>
    /// Waits for SIGTERM, Ctrl+C or the token, then drains and closes everything. When it was not asked to end: HO-0005
    /// where its cluster went on without it, HO-0006 where a part of it could not go on.
    /// </summary>
    /// <param name="beforeStop">What has to end while everything still runs.</param>
    public static async Task WaitAsync(WebApplication app, CancellationToken ct, Func<Task>? beforeStop = null)
    {
        var stopping = new TaskCompletionSource();
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        using var asked = lifetime.ApplicationStopping.Register(stopping.SetResult);
        using var cancelled = ct.Register(lifetime.StopApplication);
        var membership = app.Services.GetRequiredService<Membership>();
        var node = app.Services.GetRequiredService<IOptions<NodeOptions>>().Value.Name;
        var parts = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        await stopping.Task;
        var failed = parts.Find(part => part.ExecuteTask?.IsFaulted == true);
        try
        {
            if (beforeStop is not null) await beforeStop();
        }
        finally
        {
            await app.StopAsync(CancellationToken.None);
            await app.DisposeAsync();
        }

        if (failed?.ExecuteTask?.Exception?.InnerException is { } cause)
            throw HostingErrors.PartFailed.With(failed.GetType().Name, cause.Message).AsException(cause);
        if (membership.IsLost) throw HostingErrors.MembershipLost.With(node).AsException();
    }

    /// <summary>The error that a user can act on, or the exception itself.</summary>
    public static Exception Explained(Exception e) => e switch
    {
        _ when Failures(e) is { } wrong => Invalid(wrong, e),
        AggregateException many when many.GetBaseException() is MillraceException known => known,
        IOException when e.InnerException is AddressInUseException || e is AddressInUseException =>
            HostingErrors.PortTaken.With(null, e.Message).AsException(e),
        _ => e,
    };

    /// <summary>What is wrong with the options; null when something else is.</summary>
    private static IEnumerable<string>? Failures(Exception e) => e switch
    {
        OptionsValidationException options => options.Failures,
        AggregateException many when many.InnerExceptions.All(i => i is OptionsValidationException) =>
            many.InnerExceptions.Cast<OptionsValidationException>().SelectMany(o => o.Failures),
        _ => null,
    };

    private static MillraceException Invalid(IEnumerable<string> failures, Exception? cause) =>
        HostingErrors.ConfigurationInvalid.With(null,
            string.Concat(failures.Distinct().Select(f => "\n  " + f)) + "\n").AsException(cause);
}
