using Millrace.Models.Registry;

namespace Millrace.ColdPath.Models;

/// <summary>GET /api/v1/models.</summary>
public sealed record ModelList(IReadOnlyList<ModelSummary> Items);

/// <summary>GET /api/v1/models/{name}.</summary>
/// <param name="Call">How queries call it.</param>
/// <param name="Promoted">The version that they use; null when none was promoted.</param>
public sealed record ModelInfo(
    string Name, string Call, int? Promoted, IReadOnlyList<ModelManifest> Versions,
    IReadOnlyList<ModelPromotion> Promotions);

/// <summary>POST /api/v1/models/{name}/promote.</summary>
public sealed record ModelPromoteRequest(int Version);

/// <summary>GET /api/v1/models/{name}/compare.</summary>
public sealed record ModelComparison(string Name, int Left, int Right, IReadOnlyList<ModelMetric> Items);

/// <param name="Left">Null where that version has no such metric.</param>
public sealed record ModelMetric(string Metric, double? Left, double? Right);
