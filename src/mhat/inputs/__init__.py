"""Files that are read, whatever they are read for: each is looked at before it is opened, and never believed.

    files      is it there, is it a file at all, what else may be meant; what a library has against it, in one sentence
    sizes      whether there is room for what a file says it holds
    tables     rows and columns: csv, tsv, txt and parquet
    arrays     arrays without names: npy and npz
    datasets   arrays with names: netCDF and zarr

It knows no stream, no record and no trace.
"""
