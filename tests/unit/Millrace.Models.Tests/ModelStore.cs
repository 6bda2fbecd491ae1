using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.Models.Registry;
using Millrace.ObjectStore;
using Millrace.TestKit;

namespace Millrace.Models.Tests;

/// <summary>A registry in a folder of its own.</summary>
internal sealed class ModelStore : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;

    public ModelStore() => _services = new ServiceCollection().AddLogging().AddMetrics()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddSingleton(TimeProvider.System).AddSingleton(new DataFolder(_folder.Path)).AddFileObjectStore().AddModels()
        .BuildServiceProvider();

    public ModelRegistry Registry => _services.GetRequiredService<ModelRegistry>();

    public IObjectStore Objects => _services.GetRequiredService<IObjectStore>();

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public static ModelDraft Draft(string name, params string[] features) => new(
        name, ModelKind.Score, ModelFormat.Onnx, [.. features.Select(one => new ModelFeature(one))],
        new Dictionary<string, double> { ["error"] = 0.5 }, "somebody", "a test");

    public void Dispose()
    {
        _services.Dispose();
        _folder.Dispose();
    }
}
