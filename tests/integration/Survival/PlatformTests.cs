using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>Tests of a platform that runs as a process of its own in a new folder.</summary>
/// <param name="isShared">One platform for all tests of the class, instead of one for each.</param>
public abstract class PlatformTests(bool isShared, params (string Key, string Value)[] settings)
{
    private TemporaryFolder? _folder;
    private PlatformProcess? _platform;

    private protected TemporaryFolder Folder => _folder!;

    private protected PlatformProcess Platform => _platform!;

    private protected HttpClient Api => Platform.Api;

    [OneTimeSetUp]
    public Task StartSharedAsync() => isShared ? StartAsync() : Task.CompletedTask;

    [SetUp]
    public Task StartOwnAsync() => isShared ? Task.CompletedTask : StartAsync();

    [TearDown]
    public Task StopOwnAsync() => isShared ? Task.CompletedTask : StopAsync();

    [OneTimeTearDown]
    public Task StopSharedAsync() => isShared ? StopAsync() : Task.CompletedTask;

    private Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _platform = new PlatformProcess(_folder.Path, settings);
        return _platform.StartAsync();
    }

    private async Task StopAsync()
    {
        if (_platform is not null) await _platform.DisposeAsync();
        _folder?.Dispose();
    }
}
