using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.ObjectStore;

namespace Millrace.Contract.Tests.ObjectStore;

[TestFixture]
public sealed class FileObjectStoreTests : ObjectStoreContract
{
    private string _folder = null!;
    private ServiceProvider? _services;

    protected override ValueTask<IObjectStore> OpenEmptyAsync()
    {
        _folder = Directory.CreateTempSubdirectory("millrace-objects-").FullName;
        _services = new ServiceCollection()
            .AddSingleton<Microsoft.Extensions.Configuration.IConfiguration>(
                new Microsoft.Extensions.Configuration.ConfigurationBuilder().Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder))
            .AddFileObjectStore()
            .BuildServiceProvider();
        return ValueTask.FromResult(_services.GetRequiredService<IObjectStore>());
    }

    [TearDown]
    public async Task Remove()
    {
        if (_services is not null) await _services.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
