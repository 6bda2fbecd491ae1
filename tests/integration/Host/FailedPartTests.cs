using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Cluster;
using Millrace.Hosting.Node;
using Millrace.Platform;
using Millrace.Primitives;

namespace Millrace.Integration.Tests.Host;

/// <summary>A process that ends without having been asked says why, so that a supervisor starts it again.</summary>
public class FailedPartTests
{
    [Test]
    public async Task A_part_that_fails_ends_the_process_with_an_error_of_its_name()
    {
        var app = Build(services => services.AddHostedService<Failing>());
        await app.StartAsync();

        var failure = Assert.ThrowsAsync<MillraceException>(() => PlatformRunner.WaitAsync(app, default));

        Assert.That(failure!.Error.Code, Is.EqualTo("HO-0006"));
        Assert.That(failure.Message, Does.Contain(nameof(Failing)).And.Contain("the disk is gone"));
    }

    [Test]
    public async Task One_that_ends_has_an_error_where_its_cluster_went_on_without_it([Values] bool isLost)
    {
        var app = Build(_ => { });
        await app.StartAsync();
        if (isLost) app.Services.GetRequiredService<Membership>().Lose();

        var ending = PlatformRunner.WaitAsync(app, new CancellationToken(canceled: true));

        if (isLost)
            Assert.That(Assert.ThrowsAsync<MillraceException>(() => ending)!.Error.Code, Is.EqualTo("HO-0005"));
        else await ending;
    }

    private static WebApplication Build(Action<IServiceCollection> add)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<Membership>();
        builder.Services.AddOptions<NodeOptions>();
        add(builder.Services);
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        return app;
    }

    private sealed class Failing(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var waiting = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task;
            throw new IOException("the disk is gone");
        }
    }
}
