using Microsoft.ML.Data;

namespace Millrace.Models.Scoring;

/// <summary>A row as ML.NET takes it.</summary>
internal sealed class FeatureRow
{
    public float[] Features { get; set; } = [];

    public float Label { get; set; }

    /// <summary>The columns with the number of features that a model has.</summary>
    public static SchemaDefinition Schema(int features)
    {
        var schema = SchemaDefinition.Create(typeof(FeatureRow));
        schema[nameof(Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        return schema;
    }
}

internal sealed class ScoreRow
{
    public float Score { get; set; }
}
