using Apache.Arrow;
using Apache.Arrow.Types;
using Millrace.Batch;
using Millrace.Models;
using Millrace.Models.Training;

namespace Millrace.ColdPath.Models;

/// <summary>Columns of a result as numbers, row by row as far as all of them have one.</summary>
internal static class FeatureColumns
{
    /// <summary>All numbers of the rows are features, but for the label. MO-0011 when there are too many.</summary>
    public static async Task<TrainingData> ReadAsync(
        IBatchResult result, JobModel model, long rowsMax, CancellationToken ct)
    {
        var fields = result.Schema.FieldsList;
        var names = fields.Where(field => IsNumber(field.DataType) && field.Name != model.Label)
            .Select(field => field.Name).ToList();
        if (names.Count == 0) throw Impossible(string.Join(", ", fields.Select(field => field.Name)), "No number.");
        foreach (var needed in new[] { model.Label, model.Group }.OfType<string>())
            if (fields.All(field => field.Name != needed)) throw Impossible(needed, "There is no such column.");

        var features = names.Select(_ => new List<float>()).ToList();
        var (labels, groups) = (new List<float>(), new List<string>());
        await foreach (var batch in result.Batches.WithCancellation(ct).ConfigureAwait(false))
        {
            var numbers = names.Select(name => Numbers(batch, name)).ToList();
            var label = model.Label is null ? null : Numbers(batch, model.Label);
            var group = batch.Column(model.Group);
            for (var row = 0; row < batch.Length; row++)
            {
                if (label is not null && float.IsNaN(label[row])) continue;
                if (numbers.Any(column => float.IsNaN(column[row]))) continue;
                if (groups.Count == rowsMax) throw TooMany(rowsMax);
                for (var i = 0; i < names.Count; i++) features[i].Add(numbers[i][row]);
                if (label is not null) labels.Add(label[row]);
                groups.Add(Formats.ArrowCell.Text(group, row));
            }
        }

        return new TrainingData(names, [.. features.Select(column => column.ToArray())], [.. labels], [.. groups]);
    }

    /// <summary>The column's numbers; not-a-number where it has none.</summary>
    public static float[] Numbers(RecordBatch batch, string column)
    {
        if (batch.Schema.GetFieldIndex(column) is var index && index < 0)
            throw Impossible(column, "There is no such column.");
        var array = batch.Column(index);
        var numbers = new float[batch.Length];
        for (var row = 0; row < numbers.Length; row++)
            numbers[row] = array.IsNull(row) ? float.NaN : Number(array, row, column);
        return numbers;
    }

    /// <summary>A division by 10.0 is a decimal on Spark, and a double on DuckDB.</summary>
    private static bool IsNumber(IArrowType type) => type is NumberType or Decimal128Type;

    private static float Number(IArrowArray array, int row, string column) => array switch
    {
        DoubleArray n => (float)n.Values[row],
        FloatArray n => n.Values[row],
        Int64Array n => n.Values[row],
        Int32Array n => n.Values[row],
        Int16Array n => n.Values[row],
        Int8Array n => n.Values[row],
        Decimal128Array n => (float)n.GetValue(row)!.Value,
        _ => throw Impossible(column, $"It is {array.Data.DataType.Name}; cast it to DOUBLE."),
    };

    public static Exception TooMany(long rowsMax) =>
        ModelErrors.TooManyRows.With(null, $"The most is {rowsMax}.").AsException();

    private static Exception Impossible(string what, string why) =>
        ModelErrors.TrainingImpossible.With(what, why).AsException();
}
