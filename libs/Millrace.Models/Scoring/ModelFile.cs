using System.IO.Compression;
using System.Text.Json;
using Millrace.Models.Registry;
using Millrace.Saql.Models;

namespace Millrace.Models.Scoring;

/// <summary>A version as a file that stands by itself, for queries over files.</summary>
public static class ModelFile
{
    private const string ManifestEntry = "model.json";
    private const string ContentEntry = "content";

    public static byte[] Write(ModelManifest manifest, byte[] content)
    {
        var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, ManifestEntry, JsonSerializer.SerializeToUtf8Bytes(manifest, JsonSerializerOptions.Web));
            Add(zip, ContentEntry, content);
        }

        return file.ToArray();
    }

    /// <summary>MO-0006 when it is none.</summary>
    public static (QueryModel Model, IModelScorer Scorer) Read(string path)
    {
        try
        {
            using var zip = ZipFile.OpenRead(path);
            var manifest = JsonSerializer.Deserialize<ModelManifest>(Bytes(zip, ManifestEntry),
                JsonSerializerOptions.Web)!;
            return (new QueryModel(manifest.Name, [.. manifest.Features.Select(one => one.Name)]),
                LoadedModel.Of(manifest, Bytes(zip, ContentEntry)).CreateScorer());
        }
        catch (Exception wrong) when (wrong is InvalidDataException or JsonException or IOException)
        {
            throw ModelErrors.ContentDamaged.With(path, wrong.Message).AsException(wrong);
        }
    }

    private static void Add(ZipArchive zip, string name, byte[] bytes)
    {
        using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        entry.Write(bytes);
    }

    private static byte[] Bytes(ZipArchive zip, string name)
    {
        using var entry = (zip.GetEntry(name) ?? throw new InvalidDataException($"It has no {name}.")).Open();
        using var bytes = new MemoryStream();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }
}
