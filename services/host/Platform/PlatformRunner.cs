using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Millrace.Hosting;
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
            await app.DisposeAsync();
            throw Explained(e);
        }
    }

    /// <summary>HO-0001 with everything that is wrong with the options, when something is.</summary>
    public static void Validate(IServiceCollection services)
    {
        // A provider of its own: the real one opens the log as soon as it makes the server.
        using var options = services.BuildServiceProvider();
        try
        {
            options.GetRequiredService<IStartupValidator>().Validate();
        }
        catch (Exception e)
        {
            throw Explained(e);
        }
    }

    /// <summary>Waits for SIGTERM, Ctrl+C or the token, then drains and closes everything.</summary>
    /// <param name="beforeStop">What has to end while everything still runs.</param>
    public static async Task WaitAsync(WebApplication app, CancellationToken ct, Func<Task>? beforeStop = null)
    {
        var stopping = new TaskCompletionSource();
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        using var asked = lifetime.ApplicationStopping.Register(stopping.SetResult);
        using var cancelled = ct.Register(lifetime.StopApplication);
        await stopping.Task;
        if (beforeStop is not null) await beforeStop();
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
    }

    /// <summary>The error that a user can act on, or the exception itself.</summary>
    private static Exception Explained(Exception e) => e switch
    {
        OptionsValidationException options => Invalid(options.Failures, e),
        AggregateException many when many.InnerExceptions.All(i => i is OptionsValidationException) =>
            Invalid(many.InnerExceptions.Cast<OptionsValidationException>().SelectMany(o => o.Failures), e),
        IOException when e.InnerException is AddressInUseException || e is AddressInUseException =>
            HostingErrors.PortTaken.With(null, e.Message).AsException(e),
        _ => e,
    };

    private static MillraceException Invalid(IEnumerable<string> failures, Exception cause) =>
        HostingErrors.ConfigurationInvalid.With(null,
            string.Join("\n", failures.Select(f => "\n  " + f))).AsException(cause);
}
